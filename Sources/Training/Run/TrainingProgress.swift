/// How far a run is.
public struct TrainingProgress: Equatable, Sendable, CustomStringConvertible {
    /// Of the step that was just done.
    public var step: TrainingStep
    /// Of the whole run.
    public var steps: Int
    /// The loss, averaged over about the last fifty steps: that of one says little, as its timesteps and
    /// noise are drawn.
    public var averageLoss: Double
    /// Learnt from in a second, in this process.
    public var picturesPerSecond: Double
    /// That the rest takes at that speed.
    public var secondsLeft: Double

    public var description: String {
        let hours = Int(secondsLeft.rounded(.up))
        let time = [hours / 3600, hours / 60 % 60, hours % 60]
            .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        return "step \(step.number)/\(steps), loss \(averageLoss.significant(4)), "
            + "\(picturesPerSecond.significant(3)) pictures/s, \(time) left"
    }
}

/// Measures a run.
struct TrainingMeter {
    private let settings: TrainingSettings
    private let start = ContinuousClock.now
    private var steps = 0
    private var averageLoss: Double?

    /// - Parameter losses: of the steps before, in an earlier process.
    init(_ settings: TrainingSettings, losses: [Double]) {
        self.settings = settings
        for loss in losses.suffix(500) { add(loss) }
    }

    mutating func progress(after step: TrainingStep) -> TrainingProgress {
        steps += 1
        add(step.loss)
        let perStep = (ContinuousClock.now - start) / Double(steps) / Duration.seconds(1)
        return TrainingProgress(
            step: step, steps: settings.steps, averageLoss: averageLoss ?? step.loss,
            picturesPerSecond: Double(settings.picturesPerStep) / max(perStep, 1e-9),
            secondsLeft: perStep * Double(settings.steps - step.number))
    }

    private mutating func add(_ loss: Double) {
        averageLoss = averageLoss.map { 0.98 * $0 + 0.02 * loss } ?? loss
    }
}

extension Double {
    /// With so many digits that say something, for people.
    func significant(_ digits: Int) -> String {
        guard isFinite, self != 0 else { return "\(self)" }
        var unit = 1.0
        var places = digits - 1
        while magnitude >= unit * 10 { (unit, places) = (unit * 10, places - 1) }
        while magnitude < unit { (unit, places) = (unit / 10, places + 1) }
        guard places > 0, places < 12 else { return "\(rounded())" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let whole = Int64((magnitude * scale).rounded())
        let fraction = String(whole % Int64(scale))
        return (self < 0 ? "-" : "") + "\(whole / Int64(scale))."
            + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
