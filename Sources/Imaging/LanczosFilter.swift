import Glibc

/// The Lanczos window of three lobes, as `lanczos_filter` of Pillow's `Resample.c`.
enum LanczosFilter {
    /// Half the width of the window, in source pixels at a scale of 1.
    static let support = 3.0

    /// The weight at a distance of `x` from the centre, at most 1; 0 outside ±3.
    static func weight(at x: Double) -> Double {
        guard -support <= x, x < support else { return 0 }
        return sinc(x) * sinc(x / support)
    }

    private static func sinc(_ x: Double) -> Double {
        guard x != 0 else { return 1 }
        let angle = x * .pi
        return sin(angle) / angle
    }
}
