import Glibc
import Torch

/// Euler's method on the probability flow in σ (Karras et al., 2022, algorithm 2 without its noise
/// and its second-order correction). Answers to diffusers' `EulerDiscreteScheduler`.
public struct EulerDiscreteScheduler: VarianceExplodingScheduler, CustomTimestepsScheduler,
    CustomSigmasScheduler
{
    public static let name = "EulerDiscreteScheduler"

    public let configuration: EulerDiscreteConfiguration
    public private(set) var timesteps: [Double]
    public private(set) var sigmas: [Double]
    private let schedule: SigmaSchedule

    public init(_ settings: SchedulerSettings) throws {
        self.init(try EulerDiscreteConfiguration(settings))
    }

    public init(_ configuration: EulerDiscreteConfiguration) {
        self.configuration = configuration
        schedule = SigmaSchedule(
            configuration.training, rescaledToZeroSNR: configuration.rescaleBetasZeroSNR)
        (timesteps, sigmas) = schedule.whole
        if configuration.hasContinuousTimesteps { timesteps = Self.continuousTimesteps(sigmas) }
        sigmas.append(0)
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

    public mutating func setTimesteps(to timesteps: [Double]) throws {
        guard !configuration.hasContinuousTimesteps else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "visit chosen timesteps when they are continuous",
                instead: "Choose sigmas instead.")
        }
        start(
            at: try checked(
                custom: timesteps, trained: configuration.training.steps,
                spacing: configuration.sigmaSpacing))
    }

    public mutating func setSigmas(to sigmas: [Double]) throws {
        self.sigmas = try checked(custom: sigmas)
        timesteps =
            configuration.hasContinuousTimesteps
            ? Self.continuousTimesteps(self.sigmas.dropLast())
            : self.sigmas.dropLast().map { Double(Float(schedule.timestep(of: $0))) }
    }

    /// Starts a run with the σ of timesteps, unless the configuration spaces σ otherwise.
    private mutating func start(at spaced: [Double]) {
        let levels =
            switch configuration.interpolation {
            case .linear: spaced.map(schedule.sigma(at:))
            case .logLinear: logLinearSigmas(spaced.count + 1)
            }
        let run = schedule.respaced(
            levels, timesteps: spaced, as: configuration.sigmaSpacing,
            smallest: configuration.sigmaMin, largest: configuration.sigmaMax)
        let last =
            switch configuration.finalSigma {
            case .zero: Float(0)
            case .smallest: schedule.sigmas.first ?? 0
            }
        sigmas = run.sigmas.asFloat32(endingIn: last)
        timesteps =
            configuration.hasContinuousTimesteps
            ? Self.continuousTimesteps(sigmas.dropLast()) : run.timesteps
    }

    /// x + (σ_{i+1} - σ_i) dx/dσ (algorithm 2, lines 7 and 8).
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let sigma = try sigmas(ofStep: index)
        let sample = try sample.converted(to: .float32)
        let clean = try configuration.predictionType.clean(
            from: prediction, sample: sample, sigma: sigma.from)
        let derivative = try (sample - clean) / Double(sigma.from)
        let next = try sample + Double(sigma.to - sigma.from) * derivative
        return SchedulerStep(
            previous: try next.converted(to: prediction.dtype), clean: clean)
    }

    /// σ from the noisiest training timestep to the cleanest, linear in log σ.
    private func logLinearSigmas(_ count: Int) -> [Double] {
        guard let first = schedule.sigmas.first, let last = schedule.sigmas.last else { return [] }
        return NoiseSchedule.linspace(
            from: Double(logf(last)), to: Double(logf(first)), count: count
        ).map { Double(expf($0)) }
    }

    private static func continuousTimesteps(_ sigmas: [Double]) -> [Double] {
        sigmas.map { Double(0.25 * logf(Float($0))) }
    }
}
