import Glibc

/// A line of progress on standard error: drawn anew on a terminal, else a line for each tenth of the
/// way, so that logs stay short.
struct ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownTenths = -1

    /// - Parameter share: 0 to 1, where 1 ends the line.
    mutating func show(share: Double, label: String, facts: String) {
        let share = min(max(share, 0), 1)
        if isTerminal {
            let width = 24
            let filled = Int(Double(width) * share)
            let bar =
                String(repeating: "█", count: filled)
                + String(repeating: " ", count: width - filled)
            Self.write("\r\(label) [\(bar)] \(facts)\u{1B}[K\(share == 1 ? "\n" : "")")
        } else if Int(share * 10) > shownTenths {
            shownTenths = Int(share * 10)
            Self.write("\(label): \(facts)\n")
        }
    }

    /// A line of its own.
    static func note(_ text: String) {
        write("\(text)\n")
    }

    private static func write(_ text: String) {
        // What cannot be shown is no reason to end a run.
        _ = Array(text.utf8).withUnsafeBytes {
            Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }
}
