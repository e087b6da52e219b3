/// SplitMix64 (Steele et al., 2014): few bits of state, and the same numbers on every machine.
///
/// For choices, such as an order of pictures; noise comes from `NoiseGenerator`.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// A generator for one of many things that are numbered, each independent of the others.
    /// - Parameters:
    ///   - seed: of them all.
    ///   - numbers: which of them it is.
    public init(seed: UInt64, for numbers: UInt64...) {
        state = seed
        for number in numbers { state = next() ^ number }
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 to `limit` - 1; 0 if the limit is not above 0. Unlike the standard library's, which
    /// may change with its version, it is the same for ever.
    public mutating func below(_ limit: Int) -> Int {
        guard limit > 0 else { return 0 }
        // The share of `limit` that the bits are of all that they could be.
        return Int(UInt64(limit).multipliedFullWidth(by: next()).high)
    }

    /// A number in [0, 1), of 53 bits.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}
