import Torch

/// A normal distribution for each latent value: the autoencoder's posterior q(z | x).
///
/// Answers to diffusers' `DiagonalGaussianDistribution`.
public struct DiagonalGaussian {
    /// μ, `[N, C, H, W]`.
    public let mean: Tensor
    /// log σ², `[N, C, H, W]`, limited to [-30, 20] as in the reference.
    public let logVariance: Tensor

    /// - Parameter parameters: μ and log σ² behind each other, `[N, 2 C, H, W]`.
    init(parameters: Tensor) throws {
        let parts = try parameters.split(into: 2, dimension: 1)
        mean = parts[0]
        logVariance = try parts[1].clamped(to: -30...20)
    }

    /// σ, `[N, C, H, W]`.
    public func standardDeviation() throws -> Tensor {
        try (0.5 * logVariance).exponential()
    }

    /// z = μ + σ ε with ε ~ N(0, 1) (Kingma and Welling, 2014, section 2.4).
    public func sample(noise: Tensor) throws -> Tensor {
        try mean + standardDeviation() * noise
    }
}
