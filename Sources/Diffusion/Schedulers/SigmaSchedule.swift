import Glibc

/// σ_t = √((1 - ᾱ_t) / ᾱ_t) of each training timestep, and the way between any σ and its timestep.
///
/// What Euler, Heun, LMS, DPM-Solver and UniPC choose the noise levels of a run from. float32 and
/// float64 where diffusers has them.
struct SigmaSchedule: Sendable {
    /// ᾱ_t, never 0 where it was rescaled to have no signal at the end.
    let alphasCumprod: [Float]
    /// From the cleanest timestep on.
    let sigmas: [Float]
    private let logSigmas: [Float]

    /// - Parameter rescaledToZeroSNR: whether the last timestep is made almost pure noise (Lin et al.,
    ///   2023): σ there is 4096, since it must be finite.
    init(_ training: TrainingNoise, rescaledToZeroSNR: Bool = false) {
        var alphasCumprod = training.schedule(rescaledToZeroSNR: rescaledToZeroSNR).alphasCumprod
        if rescaledToZeroSNR, let last = alphasCumprod.indices.last {
            alphasCumprod[last] = 0x1p-24
        }
        self.alphasCumprod = alphasCumprod
        sigmas = alphasCumprod.map { ((1 - $0) / $0).squareRoot() }
        logSigmas = sigmas.map { logf($0) }
    }

    /// σ at a timestep, or between two of them; the nearest outside. As `numpy.interp`.
    func sigma(at timestep: Double) -> Double {
        guard let first = sigmas.first, let last = sigmas.last else { return 0 }
        guard timestep > 0 else { return Double(first) }
        guard timestep < Double(sigmas.count - 1) else { return Double(last) }
        let index = Int(timestep)
        let (lower, upper) = (Double(sigmas[index]), Double(sigmas[index + 1]))
        let place = timestep - Double(index)
        return place == 0 ? lower : (upper - lower) * place + lower
    }

    /// The timestep with a σ, by interpolation of log σ; the first or the last one for σ outside.
    func timestep(of sigma: Double) -> Double {
        guard logSigmas.count > 1 else { return 0 }
        let logSigma = log(max(sigma, 1e-10))
        let lower = min(
            logSigmas.lastIndex { logSigma >= Double($0) } ?? 0, logSigmas.count - 2)
        let (low, high) = (logSigmas[lower], logSigmas[lower + 1])
        guard low != high else { return Double(lower) }
        let weight = min(max((Double(low) - logSigma) / Double(low - high), 0), 1)
        return (1 - weight) * Double(lower) + weight * Double(lower + 1)
    }

    /// The noise levels of a run: those given, or as many in another spacing, with the timesteps that
    /// belong to them.
    ///
    /// - Parameters:
    ///   - sigmas: of the timesteps, from the noisiest on.
    ///   - smallest: instead of the last one of them.
    ///   - largest: instead of the first one of them.
    func respaced(
        _ sigmas: [Double], timesteps: [Double], as spacing: SigmaSpacing, smallest: Double? = nil,
        largest: Double? = nil
    ) -> (timesteps: [Double], sigmas: [Double]) {
        guard spacing != .ofTimesteps, let first = sigmas.first, let last = sigmas.last else {
            return (timesteps, sigmas)
        }
        let respaced = spacing.sigmas(
            from: largest ?? first, to: smallest ?? last, count: timesteps.count)
        return (respaced.map { Double(Float(timestep(of: $0))) }, respaced)
    }

    /// All training timesteps and their σ, for a scheduler that has no run yet.
    var whole: (timesteps: [Double], sigmas: [Double]) {
        (sigmas.indices.reversed().map(Double.init), sigmas.reversed().map(Double.init))
    }
}

extension [Double] {
    /// The σ of a run with the one after its last step, rounded as diffusers keeps them.
    func asFloat32(endingIn last: Float = 0) -> [Double] {
        map { Double(Float($0)) } + [Double(last)]
    }
}
