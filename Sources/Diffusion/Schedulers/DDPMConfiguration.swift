/// How a `DDPMScheduler` is set up, with DDPM's own defaults for keys that a file does not have.
public struct DDPMConfiguration: SchedulerConfiguration {
    /// The variance of p(x_{t-1} | x_t).
    public enum Variance: String, Sendable, CaseIterable {
        /// β̃_t, the smaller bound (Ho et al., 2020, eq. 7).
        case fixedSmall = "fixed_small"
        /// The same number, which diffusers takes through its logarithm.
        case fixedSmallLog = "fixed_small_log"
        /// β_t, the larger bound.
        case fixedLarge = "fixed_large"
        /// The same number. (diffusers takes the root of its logarithm here, which is NaN.)
        case fixedLargeLog = "fixed_large_log"
        /// The second half of the model's channels.
        case learned
        /// Between both bounds, where the second half of the model's channels says (Nichol and
        /// Dhariwal, 2021, eq. 15).
        case learnedRange = "learned_range"

        var isLearned: Bool { self == .learned || self == .learnedRange }
    }

    public var training = TrainingNoise()
    public var variance = Variance.fixedSmall
    /// Whether the predicted x_0 is limited to ± `clipSampleRange`.
    public var clipSample = true
    public var clipSampleRange = 1.0
    public var predictionType = PredictionType.epsilon
    public var thresholding = DynamicThresholding()
    public var timestepSpacing = TimestepSpacing.leading
    public var stepsOffset = 0
    public var rescaleBetasZeroSNR = false
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try training.exchange(&keys)
        try keys.exchange("variance_type", &variance)
        try keys.exchange("clip_sample", &clipSample)
        try keys.exchange("clip_sample_range", &clipSampleRange, within: 0...1e6)
        try keys.exchange("prediction_type", &predictionType)
        try thresholding.exchange(&keys)
        try keys.exchange("timestep_spacing", &timestepSpacing)
        try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        try keys.exchange("rescale_betas_zero_snr", &rescaleBetasZeroSNR)
    }

    public func check(_ keys: SchedulerKeys) throws {
        try training.check(keys)
    }
}
