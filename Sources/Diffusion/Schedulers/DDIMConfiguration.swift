/// How a `DDIMScheduler` is set up, with DDIM's own defaults for keys that a file does not have.
public struct DDIMConfiguration: SchedulerConfiguration {
    public var training = TrainingNoise()
    /// Whether the predicted x_0 is limited to ± `clipSampleRange`.
    public var clipSample = true
    public var clipSampleRange = 1.0
    /// Whether ᾱ before the first timestep is 1, rather than ᾱ_0.
    public var setAlphaToOne = true
    public var stepsOffset = 0
    public var predictionType = PredictionType.epsilon
    public var thresholding = DynamicThresholding()
    public var timestepSpacing = TimestepSpacing.leading
    public var rescaleBetasZeroSNR = false
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try training.exchange(&keys)
        try keys.exchange("clip_sample", &clipSample)
        try keys.exchange("clip_sample_range", &clipSampleRange, within: 0...1e6)
        try keys.exchange("set_alpha_to_one", &setAlphaToOne)
        try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        try keys.exchange("prediction_type", &predictionType)
        try thresholding.exchange(&keys)
        try keys.exchange("timestep_spacing", &timestepSpacing)
        try keys.exchange("rescale_betas_zero_snr", &rescaleBetasZeroSNR)
    }

    public func check(_ keys: SchedulerKeys) throws {
        try training.check(keys)
    }
}
