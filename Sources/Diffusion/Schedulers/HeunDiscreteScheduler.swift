import Torch

/// Heun's method in σ (Karras et al., 2022, algorithm 1): a step of Euler's, then the mean of the
/// derivatives at both ends of it. Answers to diffusers' `HeunDiscreteScheduler`.
///
/// The model is called twice for each step but the last, so that N steps have 2N - 1 timesteps: the
/// first one, then each of the others twice.
public struct HeunDiscreteScheduler: VarianceExplodingScheduler, CustomTimestepsScheduler {
    public static let name = "HeunDiscreteScheduler"

    /// With the scheduler's own defaults for keys that a file does not have.
    public struct Configuration: SchedulerConfiguration {
        public var training: TrainingNoise
        public var predictionType = PredictionType.epsilon
        public var sigmaSpacing = SigmaSpacing.ofTimesteps
        /// Whether the predicted x_0 is limited to ± `clipSampleRange`.
        public var clipSample = false
        public var clipSampleRange = 1.0
        public var timestepSpacing = TimestepSpacing.linspace
        public var stepsOffset = 0
        public var given: [String: SchedulerSettings.Value] = [:]

        public init() {
            training = TrainingNoise()
            training.betaStart = 0.00085
            training.betaEnd = 0.012
        }

        public mutating func exchange(_ keys: inout SchedulerKeys) throws {
            try training.exchange(&keys)
            try keys.exchange("prediction_type", &predictionType)
            try sigmaSpacing.exchange(&keys)
            try keys.exchange("clip_sample", &clipSample)
            try keys.exchange("clip_sample_range", &clipSampleRange, within: 0...1e6)
            try keys.exchange("timestep_spacing", &timestepSpacing)
            try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        }

        public func check(_ keys: SchedulerKeys) throws {
            try training.check(keys)
        }
    }

    /// What the second half of a step needs of the first.
    private struct FirstHalf {
        let index: Int
        let sample: Tensor
        let derivative: Tensor
    }

    public let configuration: Configuration
    public private(set) var timesteps: [Double]
    public private(set) var sigmas: [Double]
    private let schedule: SigmaSchedule
    private var firstHalf: FirstHalf?

    public init(_ settings: SchedulerSettings) throws {
        self.init(try Configuration(settings))
    }

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        schedule = SigmaSchedule(configuration.training)
        let whole = schedule.whole
        timesteps = Self.twiceButTheFirst(whole.timesteps)
        sigmas = Self.twiceButTheFirst(whole.sigmas) + [0]
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }
    public var timestepSpacing: TimestepSpacing { configuration.timestepSpacing }

    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        start(
            at: try configuration.timestepSpacing.checkedContinuousTimesteps(
                steps, of: configuration.training.steps, offset: configuration.stepsOffset))
    }

    /// - Parameter timesteps: each once; all but the first are visited twice.
    public mutating func setTimesteps(to timesteps: [Double]) throws {
        start(
            at: try checked(
                custom: timesteps, trained: configuration.training.steps,
                spacing: configuration.sigmaSpacing))
    }

    private mutating func start(at spaced: [Double]) {
        let run = schedule.respaced(
            spaced.map(schedule.sigma(at:)), timesteps: spaced, as: configuration.sigmaSpacing)
        timesteps = Self.twiceButTheFirst(run.timesteps)
        sigmas = Self.twiceButTheFirst(run.sigmas).asFloat32()
        firstHalf = nil
    }

    /// Half a step: at an even index Euler's (algorithm 1, lines 4 and 5), at an odd one the
    /// correction (lines 7 and 8).
    /// - Throws: `SchedulerError.cannot` at an odd index that does not follow the one before it.
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let sigma = try sigma(at: index)
        var clean = try configuration.predictionType.clean(
            from: prediction, sample: sample, sigma: sigma)
        if configuration.clipSample {
            let range = configuration.clipSampleRange
            clean = try clean.clamped(to: -range...range)
        }
        let derivative = try (sample - clean) / Double(sigma)

        guard !index.isMultiple(of: 2) else {
            let step = Double(Float(sigmas[index + 1]) - sigma)
            firstHalf = FirstHalf(index: index, sample: sample, derivative: derivative)
            return SchedulerStep(previous: try sample + step * derivative, clean: clean)
        }
        guard let first = firstHalf, first.index == index - 1 else {
            throw SchedulerError.cannot(
                scheduler: Self.name,
                task: "start between the halves of a step (timestep \(index))",
                instead: "Start at an even place in the timesteps.")
        }
        firstHalf = nil
        let step = Double(sigma - Float(sigmas[index - 1]))
        let mean = try (first.derivative + derivative) / 2
        return SchedulerStep(previous: try first.sample + step * mean, clean: clean)
    }

    private static func twiceButTheFirst(_ values: [Double]) -> [Double] {
        values.prefix(1) + values.dropFirst().flatMap { [$0, $0] }
    }
}
