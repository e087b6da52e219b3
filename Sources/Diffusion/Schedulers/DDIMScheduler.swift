import Torch

/// Denoising diffusion implicit models (Song, Meng and Ermon, 2021). Answers to diffusers' `DDIMScheduler`.
public struct DDIMScheduler: Scheduler {
    public static let name = "DDIMScheduler"

    public let configuration: DDIMConfiguration
    public private(set) var timesteps: [Double]
    public let initialNoiseSigma = 1.0
    private let alphasCumprod: [Float]
    /// From one timestep to the next, once there is a run.
    private var stride = 1

    public init(_ settings: SchedulerSettings) throws {
        self.init(try DDIMConfiguration(settings))
    }

    public init(_ configuration: DDIMConfiguration) {
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
        stride = alphasCumprod.count / steps
    }

    public func shares(at timestep: Double) throws -> NoiseShares {
        guard let index = Int(exactly: timestep), alphasCumprod.indices.contains(index) else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        let alpha = alphasCumprod[index]
        return NoiseShares(signal: root(alpha), noise: root(1 - alpha))
    }

    /// One step from x_t to x_{t-1} (eq. 12).
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let timestep = Int(try timestep(at: index))
        let previous = timestep - stride
        let alpha = try alphaCumprod(at: timestep)
        let previousAlpha =
            previous >= 0
            ? try alphaCumprod(at: previous)
            : (configuration.setAlphaToOne ? 1 : try alphaCumprod(at: 0))

        let shares = NoiseShares(alphaCumprod: alpha)
        let type = configuration.predictionType
        var epsilon = try type.epsilon(from: prediction, sample: sample, shares: shares)
        var clean = try type.clean(from: prediction, sample: sample, shares: shares)
        if configuration.thresholding.isOn {
            clean = try configuration.thresholding(clean)
        } else if configuration.clipSample {
            let range = configuration.clipSampleRange
            clean = try clean.clamped(to: -range...range)
        }
        if randomness.usesClippedModelOutput {
            epsilon = try shares.epsilon(of: sample, clean: clean)
        }

        // σ_t of eq. 16.
        let eta = randomness.eta
        let variance = (1 - previousAlpha) / (1 - alpha) * (1 - alpha / previousAlpha)
        let sigma = Float(eta) * variance.squareRoot()
        // Never below 0, where rounding alone would take it at η = 1.
        let direction = try root(max(1 - previousAlpha - sigma * sigma, 0)) * epsilon
        var next = try root(previousAlpha) * clean + direction
        if eta > 0 { next = try next + Double(sigma) * randomness.noise(prediction) }
        return SchedulerStep(previous: next, clean: clean)
    }

    private func alphaCumprod(at timestep: Int) throws -> Float {
        guard alphasCumprod.indices.contains(timestep) else {
            throw SchedulerError.offsetPastEnd(
                timestep: timestep, trained: alphasCumprod.count, offset: configuration.stepsOffset)
        }
        return alphasCumprod[timestep]
    }

    /// Square root in float32, as the reference takes it, for arithmetic with tensors.
    private func root(_ value: Float) -> Double {
        Double(value.squareRoot())
    }
}
