import Torch

/// A linear multistep method in σ: Adams and Bashforth's, with steps of unequal length, of order 4.
/// Answers to diffusers' `LMSDiscreteScheduler`.
public struct LMSDiscreteScheduler: VarianceExplodingScheduler {
    public static let name = "LMSDiscreteScheduler"

    /// With the scheduler's own defaults for keys that a file does not have.
    public struct Configuration: SchedulerConfiguration {
        public var training = TrainingNoise()
        public var sigmaSpacing = SigmaSpacing.ofTimesteps
        public var predictionType = PredictionType.epsilon
        public var timestepSpacing = TimestepSpacing.linspace
        public var stepsOffset = 0
        public var given: [String: SchedulerSettings.Value] = [:]

        public init() {}

        public mutating func exchange(_ keys: inout SchedulerKeys) throws {
            try training.exchange(&keys)
            try sigmaSpacing.exchange(&keys)
            try keys.exchange("prediction_type", &predictionType)
            try keys.exchange("timestep_spacing", &timestepSpacing)
            try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        }

        public func check(_ keys: SchedulerKeys) throws {
            try training.check(keys)
        }
    }

    public let configuration: Configuration
    public private(set) var timesteps: [Double]
    public private(set) var sigmas: [Double]
    private let schedule: SigmaSchedule
    /// dx/dσ of the last steps, the newest first.
    private var derivatives: [Tensor] = []
    /// The step that they belong before.
    private var nextIndex = 0
    private static let order = 4

    public init(_ settings: SchedulerSettings) throws {
        self.init(try Configuration(settings))
    }

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        schedule = SigmaSchedule(configuration.training)
        (timesteps, sigmas) = schedule.whole
        sigmas.append(0)
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }
    public var timestepSpacing: TimestepSpacing { configuration.timestepSpacing }

    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        let spaced = try configuration.timestepSpacing.checkedContinuousTimesteps(
            steps, of: configuration.training.steps, offset: configuration.stepsOffset)
        let run = schedule.respaced(
            spaced.map(schedule.sigma(at:)), timesteps: spaced, as: configuration.sigmaSpacing)
        (timesteps, sigmas) = (run.timesteps, run.sigmas.asFloat32())
        derivatives = []
    }

    /// x plus the integral over σ of the polynomial through the last derivatives.
    ///
    /// As in diffusers, the order counts the timesteps before this one, whether or not the run
    /// visited them: after a start in the middle, coefficients without a derivative are left out.
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let sigma = try sigma(at: index)
        let clean = try configuration.predictionType.clean(
            from: prediction, sample: sample, sigma: sigma)
        let derivative = try (sample - clean) / Double(sigma)
        let earlier = index == nextIndex ? derivatives : []
        let latest = Array(([derivative] + earlier).prefix(Self.order))

        var change = try coefficient(0, at: index) * derivative
        for (age, derivative) in latest.enumerated().dropFirst() {
            change = try change + coefficient(age, at: index) * derivative
        }
        let next = try sample + change
        (derivatives, nextIndex) = (latest, index + 1)
        return SchedulerStep(previous: next, clean: clean)
    }

    /// ∫ ∏_k (τ - σ_{i-k}) / (σ_{i-j} - σ_{i-k}) dτ from σ_i to σ_{i+1}, k ≠ j: what the derivative
    /// of j steps ago counts.
    ///
    /// Gauss and Legendre's two points integrate polynomials of degree 3 exactly, and so those of
    /// order 4; diffusers integrates numerically.
    private func coefficient(_ age: Int, at index: Int) -> Double {
        let order = min(index + 1, Self.order)
        let (start, end) = (sigmas[index], sigmas[index + 1])
        let middle = (start + end) / 2
        let distance = (end - start) / 2 / 3.0.squareRoot()
        let values = [middle - distance, middle + distance].map { tau in
            (0..<order).reduce(1.0) { product, other in
                guard other != age else { return product }
                return product * (tau - sigmas[index - other])
                    / (sigmas[index - age] - sigmas[index - other])
            }
        }
        return (end - start) / 2 * (values[0] + values[1])
    }
}
