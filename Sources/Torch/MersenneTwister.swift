/// MT19937, the 32-bit Mersenne Twister (Matsumoto and Nishimura, 1998): torch's generator for the CPU.
struct MersenneTwister {
    private static let count = 624
    private static let shift = 397

    private var state: [UInt32]
    private var position: Int

    init(seed: UInt32) {
        state = [seed]
        state.reserveCapacity(Self.count)
        for index in 1..<Self.count {
            let previous = state[index - 1]
            state.append(1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index))
        }
        position = Self.count
    }

    /// 32 random bits.
    mutating func next() -> UInt32 {
        if position == Self.count {
            twist()
            position = 0
        }
        var bits = state[position]
        position += 1
        bits ^= bits >> 11
        bits ^= bits << 7 & 0x9d2c_5680
        bits ^= bits << 15 & 0xefc6_0000
        bits ^= bits >> 18
        return bits
    }

    /// Uniform in [0, 1), 24 bits.
    mutating func nextFloat() -> Float {
        Float(next() & 0xff_ffff) * 0x1p-24
    }

    /// Uniform in [0, 1), 53 bits; the first draw gives the high half.
    mutating func nextDouble() -> Double {
        let high = UInt64(next())
        let low = UInt64(next())
        return Double((high << 32 | low) & 0x1f_ffff_ffff_ffff) * 0x1p-53
    }

    private mutating func twist() {
        for index in 0..<Self.count {
            let mixed =
                state[index] & 0x8000_0000 | state[(index + 1) % Self.count] & 0x7fff_ffff
            state[index] =
                state[(index + Self.shift) % Self.count] ^ mixed >> 1
                ^ (mixed & 1 == 0 ? 0 : 0x9908_b0df)
        }
    }
}
