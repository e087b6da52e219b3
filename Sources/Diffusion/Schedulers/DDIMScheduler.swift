import Torch

/// Denoising diffusion implicit models (Song, Meng and Ermon, 2021). Answers to diffusers' `DDIMScheduler`.
///
/// Notation: x_t are the latents at timestep t, ε the noise in them, ᾱ_t the share of signal.
public struct DDIMScheduler: Sendable {
    public let configuration: DDIMConfiguration
    private let alphasCumprod: [Float]

    public init(_ configuration: DDIMConfiguration) {
        self.configuration = configuration
        let betas =
            configuration.trainedBetas.map { $0.map(Float.init) }
            ?? NoiseSchedule.betas(
                configuration.betaSchedule, from: configuration.betaStart,
                to: configuration.betaEnd,
                count: configuration.numTrainTimesteps)
        alphasCumprod =
            NoiseSchedule(betas: betas, rescaledToZeroSNR: configuration.rescaleBetasZeroSNR)
            .alphasCumprod
    }

    /// The timesteps of `steps` inference steps, from the noisiest to the cleanest.
    /// - Throws: `SchedulerError` if there are fewer than one or more than training had, or if the
    ///   offset moves one past the last training timestep.
    public func timesteps(_ steps: Int) throws -> [Int] {
        let trained = configuration.numTrainTimesteps
        guard (1...trained).contains(steps) else {
            throw SchedulerError.stepCount(steps, trained: trained)
        }
        let timesteps = configuration.timestepSpacing.timesteps(
            steps, of: trained, offset: configuration.stepsOffset)
        if let last = timesteps.max(), last >= trained {
            throw SchedulerError.offsetPastEnd(
                timestep: last, trained: trained, offset: configuration.stepsOffset)
        }
        return timesteps
    }

    /// x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε, the forward process (eq. 4).
    public func addNoise(_ noise: Tensor, to sample: Tensor, at timestep: Int) throws -> Tensor {
        let alpha = try alphaCumprod(at: timestep)
        return try root(alpha) * sample + root(1 - alpha) * noise
    }

    /// One step from x_t to x_{t-1} (eq. 12).
    ///
    /// - Parameters:
    ///   - prediction: the model's output for `sample`.
    ///   - steps: number of inference steps, which says how far the next timestep is.
    ///   - sample: x_t, `[N, C, H, W]`.
    ///   - eta: η, 0 for DDIM's deterministic step up to 1 for DDPM's (eq. 16).
    ///   - noise: ε_t for η above 0, of the shape of `sample`.
    public func step(
        _ prediction: Tensor, at timestep: Int, of steps: Int, sample: Tensor, eta: Double = 0,
        noise: Tensor? = nil
    ) throws -> Tensor {
        let previous = timestep - configuration.numTrainTimesteps / steps
        let alpha = try alphaCumprod(at: timestep)
        let previousAlpha =
            previous >= 0
            ? try alphaCumprod(at: previous)
            : (configuration.setAlphaToOne ? 1 : try alphaCumprod(at: 0))

        var (clean, epsilon) = try split(prediction, sample: sample, alpha: alpha)
        if configuration.thresholding {
            clean = try thresholded(clean)
        } else if configuration.clipSample {
            let range = configuration.clipSampleRange
            clean = try clean.clamped(to: -range...range)
        }

        // σ_t of eq. 16.
        let variance = (1 - previousAlpha) / (1 - alpha) * (1 - alpha / previousAlpha)
        let sigma = Float(eta) * variance.squareRoot()
        let direction = try root(1 - previousAlpha - sigma * sigma) * epsilon
        let next = try root(previousAlpha) * clean + direction
        guard eta > 0, let noise else { return next }
        return try next + Double(sigma) * noise
    }

    /// The clean sample x_0 and the noise ε that the model's output stands for.
    private func split(
        _ prediction: Tensor, sample: Tensor, alpha: Float
    ) throws -> (clean: Tensor, epsilon: Tensor) {
        let signal = root(alpha)
        let noise = root(1 - alpha)
        switch configuration.predictionType {
        case .epsilon:
            return (try (sample - noise * prediction) / signal, prediction)
        case .sample:
            return (prediction, try (sample - signal * prediction) / noise)
        case .velocity:
            return (
                try signal * sample - noise * prediction, try signal * prediction + noise * sample
            )
        }
    }

    /// x_0 of each picture limited to its quantile s of magnitudes, and divided by s.
    private func thresholded(_ clean: Tensor) throws -> Tensor {
        let parts = try clean.split(into: clean.shape[0], dimension: 0).map { picture in
            let magnitudes = try picture.elements(as: Float.self).map(\.magnitude).sorted()
            let place = configuration.dynamicThresholdingRatio * Double(magnitudes.count - 1)
            let (lower, upper) = (Int(place), min(Int(place) + 1, magnitudes.count - 1))
            let quantile =
                magnitudes[lower]
                + Float(place - Double(lower)) * (magnitudes[upper] - magnitudes[lower])
            let limit = min(max(Double(quantile), 1), configuration.sampleMaxValue)
            return try picture.clamped(to: -limit...limit) / limit
        }
        return try Tensor.concatenated(parts, dimension: 0)
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
