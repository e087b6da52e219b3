import Diffusion
import Torch

/// What a model of a diffusion process learns: from samples that noise was added to, to tell the noise
/// (Ho et al., 2020, algorithm 1), or the sample or the velocity instead.
public struct DiffusionLoss {
    public let scheduler: DDPMScheduler
    /// γ of Min-SNR (Hang et al., 2023): how much the timesteps with little noise count at most. Nil for all
    /// to count alike.
    public let minSNRGamma: Double?

    /// - Parameters:
    ///   - scheduler: says how much noise each timestep has, and what is predicted.
    ///   - minSNRGamma: see the property; above 0.
    /// - Throws: `TrainingError.invalidArgument`.
    public init(_ scheduler: DDPMScheduler, minSNRGamma: Double? = nil) throws {
        if let gamma = minSNRGamma, !(gamma > 0 && gamma.isFinite) {
            throw TrainingError.invalidArgument(
                name: "snr_gamma", reason: "\(gamma) is no number above 0.")
        }
        self.scheduler = scheduler
        self.minSNRGamma = minSNRGamma
    }

    /// Number of timesteps that there are.
    public var timestepCount: Int { scheduler.configuration.training.steps }

    /// The loss of a batch, a tensor without dimensions.
    ///
    /// - Parameters:
    ///   - clean: x_0, `[N, C, H, W]`.
    ///   - noise: ε, of the same shape, dtype and device.
    ///   - timesteps: one for each sample.
    ///   - model: predicts from x_t and the timesteps.
    public func callAsFunction(
        _ clean: Tensor, noise: Tensor, timesteps: [Int],
        model: (_ noisy: Tensor, _ timesteps: [Int]) throws -> Tensor
    ) throws -> Tensor {
        let shares = try timesteps.map { try scheduler.shares(at: Double($0)) }
        let signal = try column(shares.map(\.signal), like: clean)
        let sigma = try column(shares.map(\.noise), like: clean)
        let prediction = try model(signal * clean + sigma * noise, timesteps)
        let target =
            switch scheduler.configuration.predictionType {
            case .epsilon: noise
            case .sample: clean
            case .velocity: try signal * noise - sigma * clean
            }
        guard let gamma = minSNRGamma else { return try prediction.meanSquaredError(to: target) }
        let difference = try prediction - target
        let weights = try column(shares.map { weight(of: $0, gamma) }, like: clean)
        return try (weights * (difference * difference)).mean()
    }

    /// min(SNR, γ), over what the prediction type's own weight of the error of x_0 is.
    private func weight(of shares: NoiseShares, _ gamma: Double) -> Double {
        let snr = shares.signal * shares.signal / max(shares.noise * shares.noise, 1e-20)
        return switch scheduler.configuration.predictionType {
        // Of pure noise nothing can be told of x_0; the quotient's limit is 1.
        case .epsilon: snr > 0 ? min(snr, gamma) / snr : 1
        case .velocity: min(snr, gamma) / (snr + 1)
        case .sample: min(snr, gamma)
        }
    }

    /// One number for each sample, to be multiplied with `[N, C, H, W]`.
    private func column(_ numbers: [Double], like tensor: Tensor) throws -> Tensor {
        try Tensor(
            numbers.map(Float.init), shape: [numbers.count, 1, 1, 1], in: LibTorch.shared()
        ).converted(to: tensor.dtype).moved(to: tensor.device)
    }
}
