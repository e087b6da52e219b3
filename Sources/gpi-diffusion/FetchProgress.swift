import GPIDiffusion

/// Shows on standard error how far a model's fetch is.
struct FetchProgress {
    private var line = ProgressLine()
    /// What is left of a wait that was told of.
    private var secondsLeft = 0.0

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
            // Called again and again as the time runs down.
            if seconds > secondsLeft {
                ProgressLine.note("\(reason) Next try in \(Int(seconds.rounded(.up))) s.")
            }
            secondsLeft = seconds
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
