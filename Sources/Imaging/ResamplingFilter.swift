import Glibc

/// How much the samples around a place count for the sample there.
///
/// The filters of Pillow's `Resample.c`. Both weigh samples further away negatively, which keeps
/// edges sharp.
public enum ResamplingFilter: Sendable {
    /// A cubic of two pieces with a slope of -1/2 at 1 (Keys, 1981): `Image.BICUBIC`.
    case bicubic
    /// A sinc under a window of three lobes: `Image.LANCZOS`.
    case lanczos

    /// Half the width of the window, in source pixels at a scale of 1.
    var support: Double {
        switch self {
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The weight at a distance of `x` from the centre, at most 1; 0 outside the window.
    func weight(at x: Double) -> Double {
        switch self {
        case .bicubic: Self.bicubic(x.magnitude)
        case .lanczos: Self.lanczos(x)
        }
    }

    // The order of every operation below is Pillow's: another one rounds differently.

    private static func bicubic(_ x: Double) -> Double {
        let slope = -0.5
        if x < 1 { return ((slope + 2) * x - (slope + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * slope }
        return 0
    }

    private static func lanczos(_ x: Double) -> Double {
        guard -3 <= x, x < 3 else { return 0 }
        return sinc(x) * sinc(x / 3)
    }

    private static func sinc(_ x: Double) -> Double {
        guard x != 0 else { return 1 }
        let angle = x * .pi
        return sin(angle) / angle
    }
}
