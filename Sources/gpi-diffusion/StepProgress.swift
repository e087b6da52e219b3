/// Shows on standard error how far the steps of a picture are, and how long the rest takes.
struct StepProgress {
    private let label: String
    private let start = ContinuousClock.now
    private var line = ProgressLine()

    init(_ label: String) {
        self.label = label
    }

    /// - Parameters:
    ///   - done: steps taken, at least 1.
    ///   - count: of all steps.
    mutating func show(_ done: Int, of count: Int) {
        let perStep = (ContinuousClock.now - start) / Double(max(done, 1)) / Duration.seconds(1)
        let left = Int((perStep * Double(count - done)).rounded(.up))
        let hundredths = Int((perStep * 100).rounded())
        let each = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        line.show(
            share: Double(done) / Double(max(count, 1)), label: label,
            facts: "\(done)/\(count) steps, \(each) s each, \(left) s left")
    }
}
