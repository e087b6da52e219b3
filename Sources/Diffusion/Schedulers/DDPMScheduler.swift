import Glibc
import Torch

/// Denoising diffusion probabilistic models (Ho, Jain and Abbeel, 2020). Answers to diffusers'
/// `DDPMScheduler`.
public struct DDPMScheduler: CustomTimestepsScheduler {
    public static let name = "DDPMScheduler"

    public let configuration: DDPMConfiguration
    public private(set) var timesteps: [Double]
    public let initialNoiseSigma = 1.0
    private let alphasCumprod: [Float]

    public init(_ settings: SchedulerSettings) throws {
        self.init(try DDPMConfiguration(settings))
    }

    public init(_ configuration: DDPMConfiguration) {
        self.configuration = configuration
        alphasCumprod =
            configuration.training.schedule(rescaledToZeroSNR: configuration.rescaleBetasZeroSNR)
            .alphasCumprod
        timesteps = alphasCumprod.indices.reversed().map(Double.init)
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }

    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        timesteps = try configuration.timestepSpacing.checkedTimesteps(
            steps, of: alphasCumprod.count, offset: configuration.stepsOffset
        ).map(Double.init)
    }

    public mutating func setTimesteps(to timesteps: [Double]) throws {
        self.timesteps = try checkedFalling(custom: timesteps, trained: alphasCumprod.count)
    }

    public func shares(at timestep: Double) throws -> NoiseShares {
        NoiseShares(alphaCumprod: try alphaCumprod(at: timestep))
    }

    /// One step from x_t to x_{t-1}: a draw from p(x_{t-1} | x_t), or its mean if t is 0.
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let timestep = try timestep(at: index)
        let alphaCumprod = try alphaCumprod(at: timestep)
        let previousAlphaCumprod =
            index + 1 < timesteps.count ? try self.alphaCumprod(at: timesteps[index + 1]) : 1
        // α_t and β_t of the step from one visited timestep to the next.
        let alpha = alphaCumprod / previousAlphaCumprod
        let beta = 1 - alpha
        let (output, learned) = try parts(of: prediction, sample: sample)

        var clean = try configuration.predictionType.clean(
            from: output, sample: sample, shares: NoiseShares(alphaCumprod: alphaCumprod))
        if configuration.thresholding.isOn {
            clean = try configuration.thresholding(clean)
        } else if configuration.clipSample {
            let range = configuration.clipSampleRange
            clean = try clean.clamped(to: -range...range)
        }

        // μ̃_t of eq. 7.
        let cleanShare = previousAlphaCumprod.squareRoot() * beta / (1 - alphaCumprod)
        let sampleShare = alpha.squareRoot() * (1 - previousAlphaCumprod) / (1 - alphaCumprod)
        var previous = try Double(cleanShare) * clean + Double(sampleShare) * sample
        if timestep > 0 {
            // β̃_t of eq. 7; never 0, because its logarithm is taken.
            let smallest = (1 - previousAlphaCumprod) / (1 - alphaCumprod) * beta
            let noise = try randomness.noise(output)
            previous =
                try previous
                + deviating(noise, from: max(1e-20, smallest), to: beta, learned: learned)
        }
        return SchedulerStep(previous: previous, clean: clean)
    }

    /// What the model predicts, and what it says of the variance.
    private func parts(
        of prediction: Tensor, sample: Tensor
    ) throws -> (output: Tensor, variance: Tensor?) {
        guard configuration.variance.isLearned else { return (prediction, nil) }
        guard prediction.shape.count > 1, sample.shape.count > 1, sample.shape[1] > 0,
            prediction.shape[1] == 2 * sample.shape[1]
        else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "use a model that predicts no variance",
                instead: "Set variance_type to \"fixed_small\".")
        }
        let halves = try prediction.split(into: 2, dimension: 1)
        return (halves[0], halves[1])
    }

    /// Noise times the standard deviation σ_t (section 3.2), between the two bounds of its square.
    private func deviating(
        _ noise: Tensor, from smallest: Float, to largest: Float, learned: Tensor?
    ) throws -> Tensor {
        switch (configuration.variance, learned) {
        case (.learned, let variance?):
            return try variance.squareRoot() * noise
        case (.learnedRange, let share?):
            // The model says -1 for the smaller, 1 for the larger bound.
            let (lower, upper) = (Double(log(smallest)), Double(log(largest)))
            let logVariance = try ((upper - lower) * (share + 1)) / 2 + lower
            return try (0.5 * logVariance).exponential() * noise
        case (.fixedLarge, _), (.fixedLargeLog, _):
            return try Double(largest.squareRoot()) * noise
        default:
            return try Double(smallest.squareRoot()) * noise
        }
    }

    private func alphaCumprod(at timestep: Double) throws -> Float {
        guard let index = Int(exactly: timestep), alphasCumprod.indices.contains(index) else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        return alphasCumprod[index]
    }
}
