import Glibc

/// α_t, σ_t and λ_t of x_t = α_t x_0 + σ_t ε: what DPM-Solver and UniPC are written in.
///
/// float32, as the reference computes them.
struct NoiseLevel: Sendable {
    let alpha: Float
    let sigma: Float

    /// - Parameters:
    ///   - ratio: σ_t / α_t; of a flow σ_t itself.
    ///   - isFlow: whether signal and noise add up to 1 (Liu et al., 2023), rather than their squares.
    init(ratio: Float, isFlow: Bool) {
        if isFlow {
            alpha = 1 - ratio
            sigma = ratio
        } else {
            alpha = 1 / (ratio * ratio + 1).squareRoot()
            sigma = ratio * alpha
        }
    }

    /// log(α_t / σ_t), half the logarithm of the signal-to-noise ratio; infinite without noise.
    var lambda: Float { logf(alpha) - logf(sigma) }

    var shares: NoiseShares { NoiseShares(signal: Double(alpha), noise: Double(sigma)) }
}
