import Torch

/// Euler's method down to less noise than the next timestep has, and fresh noise on top: the
/// ancestral sampling of k-diffusion. Answers to diffusers' `EulerAncestralDiscreteScheduler`.
public struct EulerAncestralDiscreteScheduler: VarianceExplodingScheduler {
    public static let name = "EulerAncestralDiscreteScheduler"

    /// With the scheduler's own defaults for keys that a file does not have.
    public struct Configuration: SchedulerConfiguration {
        public var training = TrainingNoise()
        /// Of ε or of velocity.
        public var predictionType = PredictionType.epsilon
        public var timestepSpacing = TimestepSpacing.linspace
        public var stepsOffset = 0
        public var rescaleBetasZeroSNR = false
        public var given: [String: SchedulerSettings.Value] = [:]

        public init() {}

        public mutating func exchange(_ keys: inout SchedulerKeys) throws {
            try training.exchange(&keys)
            try keys.exchange("prediction_type", &predictionType)
            try keys.exchange("timestep_spacing", &timestepSpacing)
            try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
            try keys.exchange("rescale_betas_zero_snr", &rescaleBetasZeroSNR)
        }

        public func check(_ keys: SchedulerKeys) throws {
            try training.check(keys)
            guard predictionType != .sample else {
                throw keys.unsupported(
                    "prediction_type", "\"sample\"", "\"epsilon\", \"v_prediction\"")
            }
        }
    }

    public let configuration: Configuration
    public private(set) var timesteps: [Double]
    public private(set) var sigmas: [Double]
    private let schedule: SigmaSchedule

    public init(_ settings: SchedulerSettings) throws {
        self.init(try Configuration(settings))
    }

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        schedule = SigmaSchedule(
            configuration.training, rescaledToZeroSNR: configuration.rescaleBetasZeroSNR)
        (timesteps, sigmas) = schedule.whole
        sigmas.append(0)
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }
    public var timestepSpacing: TimestepSpacing { configuration.timestepSpacing }

    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        timesteps = try configuration.timestepSpacing.checkedContinuousTimesteps(
            steps, of: configuration.training.steps, offset: configuration.stepsOffset)
        sigmas = timesteps.map(schedule.sigma(at:)).asFloat32()
    }

    /// One step, which draws once, even the last one, whose noise is multiplied by 0.
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let sigma = try sigmas(ofStep: index)
        let sample = try sample.converted(to: .float32)
        let clean = try configuration.predictionType.clean(
            from: prediction, sample: sample, sigma: sigma.from)

        // σ_up² + σ_down² = σ_to², with the variance of the posterior (Ho et al., 2020, eq. 7) up.
        let (from, to) = (sigma.from * sigma.from, sigma.to * sigma.to)
        let up = (to * (from - to) / from).squareRoot()
        let down = (to - up * up).squareRoot()

        let derivative = try (sample - clean) / Double(sigma.from)
        let deterministic = try sample + Double(down - sigma.from) * derivative
        let next = try deterministic + Double(up) * randomness.noise(prediction)
        return SchedulerStep(
            previous: try next.converted(to: prediction.dtype), clean: clean)
    }
}
