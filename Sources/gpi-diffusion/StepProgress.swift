import Glibc

/// Shows on standard error how far a run is: a line that is drawn anew on a terminal, else a line for
/// each tenth of the way.
struct StepProgress {
    private let label: String
    private let start = StepProgress.seconds()
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownTenths = -1

    init(_ label: String) {
        self.label = label
    }

    /// - Parameters:
    ///   - done: steps taken.
    ///   - count: of all steps, at least 1.
    mutating func show(_ done: Int, of count: Int) {
        let perStep = (Self.seconds() - start) / Double(max(done, 1))
        let left = Int((perStep * Double(count - done)).rounded(.up))
        let facts = "\(done)/\(count) steps, \(Self.twoDigits(perStep)) s each, \(left) s left"
        if isTerminal {
            let width = 24
            let filled = width * done / max(count, 1)
            let bar = String(repeating: "█", count: filled).padded(to: width)
            Self.write("\r\(label) [\(bar)] \(facts)\u{1B}[K\(done == count ? "\n" : "")")
        } else if done * 10 / max(count, 1) > shownTenths {
            shownTenths = done * 10 / max(count, 1)
            Self.write("\(label): \(facts)\n")
        }
    }

    /// A line of its own among the progress.
    static func note(_ text: String) {
        write("\(text)\n")
    }

    private static func twoDigits(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private static func write(_ text: String) {
        // What cannot be shown is no reason to end a run.
        _ = Array(text.utf8).withUnsafeBytes {
            Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
