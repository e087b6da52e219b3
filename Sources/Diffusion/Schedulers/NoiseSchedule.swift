import Glibc

/// How much noise each training timestep has: ᾱ_t, the product of 1 - β up to t (Ho et al., 2020, eq. 4).
///
/// Numbers are float32 and come about as in diffusers, so that they are the same to the last bit or two.
public struct NoiseSchedule: Sendable {
    /// How β grows with the timestep.
    public enum BetaSchedule: String, Sendable, CaseIterable {
        case linear
        /// Linear in √β: what latent diffusion was trained with.
        case scaledLinear = "scaled_linear"
        /// ᾱ follows a squared cosine (Nichol and Dhariwal, 2021, eq. 17).
        case squaredCosine = "squaredcos_cap_v2"
        /// ᾱ falls exponentially with the timestep.
        case exponential = "exp"
    }

    /// ᾱ_t for each training timestep.
    public let alphasCumprod: [Float]

    init(betas: [Float], rescaledToZeroSNR: Bool) {
        let betas = rescaledToZeroSNR ? Self.rescaledToZeroTerminalSNR(betas) : betas
        alphasCumprod = Self.cumulativeProduct(betas.map { 1 - $0 })
    }

    /// β for each of `count` timesteps.
    static func betas(
        _ schedule: BetaSchedule, from start: Double, to end: Double, count: Int
    ) -> [Float] {
        switch schedule {
        case .linear:
            linspace(from: start, to: end, count: count)
        case .scaledLinear:
            linspace(from: start.squareRoot(), to: end.squareRoot(), count: count).map { $0 * $0 }
        case .squaredCosine:
            betas(ofAlphaCumprod: squaredCosine, count: count)
        case .exponential:
            betas(ofAlphaCumprod: { exp(-12 * $0) }, count: count)
        }
    }

    /// β from ᾱ as a function of time in [0, 1].
    private static func betas(ofAlphaCumprod alphaCumprod: (Double) -> Double, count: Int)
        -> [Float]
    {
        (0..<count).map { index in
            let now = alphaCumprod(Double(index) / Double(count))
            let next = alphaCumprod(Double(index + 1) / Double(count))
            return Float(min(1 - next / now, 0.999))
        }
    }

    private static func squaredCosine(_ time: Double) -> Double {
        let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
        return cosine * cosine
    }

    /// `torch.linspace` in float32: counted from the nearer end, with one rounding each.
    static func linspace(from start: Double, to end: Double, count: Int) -> [Float] {
        guard count > 1 else { return [Float(start)] }
        let (first, last) = (Float(start), Float(end))
        let step = (last - first) / Float(count - 1)
        return (0..<count).map { index in
            index < count / 2
                ? first.addingProduct(step, Float(index))
                : last.addingProduct(-step, Float(count - 1 - index))
        }
    }

    /// `torch.cumprod` in float32, which multiplies in float64.
    private static func cumulativeProduct(_ factors: [Float]) -> [Float] {
        var product = 1.0
        return factors.map { factor in
            product *= Double(factor)
            return Float(product)
        }
    }

    /// β such that the last timestep is pure noise (Lin et al., 2023, algorithm 1).
    private static func rescaledToZeroTerminalSNR(_ betas: [Float]) -> [Float] {
        var roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last else { return betas }
        roots = roots.map { ($0 - last) * (first / (first - last)) }
        let alphasCumprod = roots.map { $0 * $0 }
        let alphas =
            [alphasCumprod[0]] + zip(alphasCumprod.dropFirst(), alphasCumprod).map { $0 / $1 }
        return alphas.map { 1 - $0 }
    }
}
