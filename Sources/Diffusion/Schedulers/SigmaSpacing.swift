import Glibc

/// How the noise levels of a run lie between its largest σ and its smallest.
public enum SigmaSpacing: String, Sendable, CaseIterable {
    /// σ of the timesteps that `TimestepSpacing` chose.
    case ofTimesteps
    /// Linear in σ^{1/ρ} (Karras et al., 2022, eq. 5).
    case karras
    /// Linear in log σ.
    case exponential
    /// By quantiles of the beta distribution (Lee et al., 2024, "Beta Sampling is All You Need").
    case beta

    mutating func exchange(_ keys: inout SchedulerKeys) throws {
        var chosen: [SigmaSpacing] = []
        for spacing in Self.allCases where spacing != .ofTimesteps {
            var isOn = self == spacing
            try keys.exchange(spacing.key, &isOn)
            if isOn { chosen.append(spacing) }
        }
        guard chosen.count < 2 else {
            throw keys.unsupported(
                chosen[0].key, "true, like \"\(chosen[1].key)\"", "the only one of the two")
        }
        self = chosen.first ?? .ofTimesteps
    }

    private var key: String { "use_\(rawValue)_sigmas" }

    /// So many σ from the largest to the smallest, float64 as numpy computes them.
    ///
    /// - Parameters: the largest and the smallest are above 0. Where the spacing is `.ofTimesteps`,
    ///   use `SigmaSchedule.sigma(at:)`; this gives σ at equal distances.
    func sigmas(from largest: Double, to smallest: Double, count: Int) -> [Double] {
        switch self {
        case .ofTimesteps:
            return Self.linspace(from: largest, to: smallest, count: count)
        case .karras:
            let rho = 7.0
            return Self.linspace(from: 0, to: 1, count: count).map { ramp in
                let (first, last) = (pow(largest, 1 / rho), pow(smallest, 1 / rho))
                return pow(first + ramp * (last - first), rho)
            }
        case .exponential:
            return Self.linspace(from: log(largest), to: log(smallest), count: count).map {
                exp($0)
            }
        case .beta:
            let distribution = IncompleteBeta(a: 0.6, b: 0.6)
            return Self.linspace(from: 0, to: 1, count: count).map { ramp in
                smallest + distribution.inverse(of: 1 - ramp) * (largest - smallest)
            }
        }
    }

    /// σ of a rectified flow, x_t = (1 - σ) x_0 + σ ε (Liu et al., 2023): at equal distances from
    /// `first`, `last` left out, then moved towards the noise by `shift` (Esser et al., 2024, eq. 23).
    static func flowSigmas(from first: Double, to last: Double, count: Int, shift: Double)
        -> [Double]
    {
        linspace(from: first, to: last, count: count + 1).dropLast().map { sigma in
            shift * sigma / (1 + (shift - 1) * sigma)
        }
    }

    /// `numpy.linspace` in float64.
    static func linspace(from first: Double, to last: Double, count: Int) -> [Double] {
        guard count > 1 else { return count == 1 ? [first] : [] }
        let step = (last - first) / Double(count - 1)
        return (0..<count).map { $0 == count - 1 ? last : Double($0) * step + first }
    }
}
