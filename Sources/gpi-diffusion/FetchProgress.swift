import GPIDiffusion

/// Shows on standard error how far a model's fetch is.
struct FetchProgress {
    private var line = ProgressLine()

    mutating func show(_ progress: HubProgress) {
        switch progress {
        case .receiving(let transfer):
            guard transfer.totalBytes > 0 else { return }
            let rate = transfer.bytesPerSecond
            let left =
                rate > 0
                ? ", \(Int(Double(transfer.totalBytes - transfer.receivedBytes) / rate)) s left"
                : ""
            line.show(
                share: Double(transfer.receivedBytes) / Double(transfer.totalBytes),
                label: "Fetching",
                facts: """
                    \(Self.size(transfer.receivedBytes)) of \(Self.size(transfer.totalBytes)), \
                    \(Self.size(Int(rate)))/s\(left)  \(transfer.file)
                    """)
        case .waiting(let seconds, let reason):
            ProgressLine.note("\(reason) Next try in \(Int(seconds.rounded(.up))) s.")
        case .usingKeptCopy(let folder, let reason):
            ProgressLine.note("\(reason)\nUsing the copy in \(folder).")
        }
    }

    /// Bytes in the unit that people read most easily.
    static func size(_ bytes: Int) -> String {
        var (number, unit) = (Double(bytes), 0)
        let units = ["B", "kB", "MB", "GB", "TB"]
        while number >= 1000, unit < units.count - 1 { (number, unit) = (number / 1000, unit + 1) }
        let tenths = Int((number * 10).rounded())
        return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
