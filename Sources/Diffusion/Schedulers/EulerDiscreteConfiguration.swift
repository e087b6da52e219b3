/// How an `EulerDiscreteScheduler` is set up, with its own defaults for keys that a file does not have.
public struct EulerDiscreteConfiguration: SchedulerConfiguration {
    /// How σ between two training timesteps is found.
    public enum Interpolation: String, Sendable, CaseIterable {
        /// Between those of the two timesteps.
        case linear
        /// All σ of the run linear in log σ, whatever the timesteps.
        case logLinear = "log_linear"
    }

    /// What the model is told about the noise.
    public enum TimestepType: String, Sendable, CaseIterable {
        case discrete
        /// log(σ) / 4 (Karras et al., 2022, table 1, column "EDM"), for models of velocity.
        case continuous
    }

    /// σ after the last step.
    public enum FinalSigma: String, Sendable, CaseIterable {
        case zero
        /// That of the first training timestep.
        case smallest = "sigma_min"
    }

    public var training = TrainingNoise()
    public var predictionType = PredictionType.epsilon
    public var interpolation = Interpolation.linear
    public var sigmaSpacing = SigmaSpacing.ofTimesteps
    /// Smallest σ of a Karras, exponential or beta spacing; else that of the last timestep.
    public var sigmaMin: Double?
    /// Largest σ of a Karras, exponential or beta spacing; else that of the first timestep.
    public var sigmaMax: Double?
    public var timestepSpacing = TimestepSpacing.linspace
    public var timestepType = TimestepType.discrete
    public var stepsOffset = 0
    public var rescaleBetasZeroSNR = false
    public var finalSigma = FinalSigma.zero
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try training.exchange(&keys)
        try keys.exchange("prediction_type", &predictionType)
        try keys.exchange("interpolation_type", &interpolation)
        try sigmaSpacing.exchange(&keys)
        try keys.exchange("sigma_min", &sigmaMin, within: 1e-6...1e6)
        try keys.exchange("sigma_max", &sigmaMax, within: 1e-6...1e6)
        try keys.exchange("timestep_spacing", &timestepSpacing)
        try keys.exchange("timestep_type", &timestepType)
        try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        try keys.exchange("rescale_betas_zero_snr", &rescaleBetasZeroSNR)
        try keys.exchange("final_sigmas_type", &finalSigma)
    }

    public func check(_ keys: SchedulerKeys) throws {
        try training.check(keys)
        if let sigmaMin, let sigmaMax, sigmaMin > sigmaMax {
            throw keys.unsupported("sigma_min", sigmaMin, "at most sigma_max (\(sigmaMax))")
        }
    }

    /// Whether the model is told σ itself.
    var hasContinuousTimesteps: Bool {
        timestepType == .continuous && predictionType == .velocity
    }
}
