/// How a `PNDMScheduler` is set up, with PNDM's own defaults for keys that a file does not have.
public struct PNDMConfiguration: SchedulerConfiguration {
    public var training = TrainingNoise()
    /// Whether the multistep method warms itself up, without steps of Runge and Kutta before it.
    public var skipPRKSteps = false
    /// Whether ᾱ before the first timestep is 1, rather than ᾱ_0.
    public var setAlphaToOne = false
    /// `.epsilon` or `.velocity`.
    public var predictionType = PredictionType.epsilon
    public var timestepSpacing = TimestepSpacing.leading
    public var stepsOffset = 0
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try training.exchange(&keys)
        try keys.exchange("skip_prk_steps", &skipPRKSteps)
        try keys.exchange("set_alpha_to_one", &setAlphaToOne)
        try keys.exchange("prediction_type", &predictionType)
        try keys.exchange("timestep_spacing", &timestepSpacing)
        try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
    }

    public func check(_ keys: SchedulerKeys) throws {
        try training.check(keys)
        guard predictionType != .sample else {
            throw keys.unsupported(
                "prediction_type", "\"sample\"", "\"epsilon\", \"v_prediction\"")
        }
    }
}
