import Torch

/// A solver of the reverse process: which timesteps a run visits, and how one step goes from a noisy
/// sample to a cleaner one.
///
/// Answers to diffusers' `SchedulerMixin`. A value: a run takes a copy, so that the history that some
/// solvers keep is never shared. One run is
///
///     var scheduler = scheduler
///     try scheduler.setTimesteps(30)
///     var sample = scheduler.initialNoiseSigma * noise
///     for index in scheduler.timesteps.indices {
///         let input = try scheduler.modelInput(sample, at: index)
///         let prediction = try unet(input, timestep: scheduler.timesteps[index], context: prompt)
///         sample = try scheduler.step(prediction, at: index, sample: sample).previous
///     }
///
/// Notation: x_t is the sample at timestep t, x_0 the clean one, ε the noise, ᾱ_t the share of signal,
/// σ_t = √((1 - ᾱ_t) / ᾱ_t).
public protocol Scheduler: SendableMetatype {
    /// What the scheduler is called in `scheduler_config.json`: diffusers' name of the class.
    static var name: String { get }

    /// - Throws: `ConfigurationError` that names the key and what is supported.
    init(_ settings: SchedulerSettings) throws

    /// The whole configuration, defaults included, with `name` as the class.
    var settings: SchedulerSettings { get }

    /// One for each call of the model, from the noisiest on; those of training until `setTimesteps`.
    var timesteps: [Double] { get }

    /// σ at each timestep and after the last one, for solvers that are written in σ; empty for others.
    var sigmas: [Double] { get }

    /// What noise of unit variance is multiplied with to be the first sample.
    var initialNoiseSigma: Double { get }

    /// Starts a run of so many inference steps, without history.
    /// - Throws: `SchedulerError` if they are fewer than one or more than the solver can make.
    mutating func setTimesteps(_ steps: Int) throws

    /// What the model is given for a sample: most often the sample itself.
    /// - Parameters:
    ///   - sample: x_t, `[N, C, H, W]`.
    ///   - index: of the timestep in `timesteps`.
    func modelInput(_ sample: Tensor, at index: Int) throws -> Tensor

    /// One step towards x_0.
    ///
    /// - Parameters:
    ///   - prediction: the model's output for `modelInput`, of the shape of `sample`.
    ///   - index: of the timestep in `timesteps`. A run begins anywhere and goes on one by one.
    ///   - sample: x_t, `[N, C, H, W]`.
    ///   - randomness: what stochastic solvers draw with.
    /// - Throws: `SchedulerError` if there is no such timestep.
    mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep

    /// How much of x_0 and of ε is in x_t: `signal · x_0 + noise · ε`.
    /// - Throws: `SchedulerError` if the timestep is none of those that the solver knows.
    func shares(at timestep: Double) throws -> NoiseShares
}

/// How much signal and how much noise a sample is made of.
public struct NoiseShares: Equatable, Sendable {
    public var signal: Double
    public var noise: Double

    public init(signal: Double, noise: Double) {
        self.signal = signal
        self.noise = noise
    }
}

/// What one step gives.
public struct SchedulerStep {
    /// x at the next timestep.
    public var previous: Tensor
    /// The clean sample as this step believes it to be, where the solver computes it.
    public var clean: Tensor?

    public init(previous: Tensor, clean: Tensor? = nil) {
        self.previous = previous
        self.clean = clean
    }
}

/// What stochastic steps draw with.
public struct StepRandomness {
    /// Gives standard normal noise of the shape, dtype and device of a tensor.
    public typealias NoiseSource = (_ like: Tensor) throws -> Tensor

    /// η of DDIM: 0 for its deterministic step up to 1 for DDPM's. Other solvers do not ask.
    public var eta: Double
    /// Whether DDIM takes the noise from x_0 as it was clipped, rather than as the model predicts it.
    /// Other solvers do not ask.
    public var usesClippedModelOutput: Bool
    public var noise: NoiseSource

    public init(
        eta: Double = 0, usesClippedModelOutput: Bool = false, noise: @escaping NoiseSource
    ) {
        self.eta = eta
        self.usesClippedModelOutput = usesClippedModelOutput
        self.noise = noise
    }

    /// η of 0, and noise from the generator of the process, as `torch.randn` gives it.
    public static var process: StepRandomness {
        StepRandomness(noise: NoiseGenerator(seed: nil).normal(like:))
    }
}

extension Scheduler {
    public var sigmas: [Double] { [] }

    public func modelInput(_ sample: Tensor, at index: Int) throws -> Tensor { sample }

    public mutating func step(_ prediction: Tensor, at index: Int, sample: Tensor) throws
        -> SchedulerStep
    {
        try step(prediction, at: index, sample: sample, randomness: .process)
    }

    /// x_t, the forward process (Ho et al., 2020, eq. 4).
    public func addNoise(_ noise: Tensor, to sample: Tensor, at timestep: Double) throws -> Tensor {
        let shares = try shares(at: timestep)
        return try shares.signal * sample + shares.noise * noise
    }

    /// The timestep at a place, for `step` and `modelInput`.
    public func timestep(at index: Int) throws -> Double {
        guard timesteps.indices.contains(index) else {
            throw SchedulerError.noTimestep(index: index, count: timesteps.count)
        }
        return timesteps[index]
    }
}
