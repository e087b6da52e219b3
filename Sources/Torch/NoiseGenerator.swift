import Glibc

/// Draws from the standard normal distribution, in the order and with the values of `torch.randn`; and
/// from the uniform one, as `torch.rand`.
///
/// With a seed it is torch's generator for the CPU after `torch.manual_seed(seed)`: MT19937
/// (Matsumoto and Nishimura, 1998) and the Box-Muller transform, each laid out as in ATen's
/// `DistributionTemplates.h`. The stable C ABI cannot seed libtorch's own generator, and a generator
/// of one's own leaves the process's state alone. Values agree with torch's to a few units in the
/// last place, as its vectorised logarithm, sine and cosine round otherwise than libm's.
///
/// Without a seed it draws from the generator of the process, which goes on from wherever
/// `torch.manual_seed` or earlier draws left it.
public final class NoiseGenerator {
    private var seeded: MersenneTwister?
    /// Box-Muller makes normals in pairs; the small-tensor path keeps the second one for later.
    private var spare: Double?

    /// - Parameter seed: any 64 bits; torch's generator for the CPU uses the low 32.
    public init(seed: UInt64?) {
        self.seeded = seed.map { MersenneTwister(seed: UInt32(truncatingIfNeeded: $0)) }
    }

    /// A float32 tensor of independent standard normals on the CPU, as `torch.randn(shape)`.
    public func normal(_ shape: [Int], in library: LibTorch) throws -> Tensor {
        guard var twister = seeded else {
            return try library.call(
                "randn",
                [.ints(shape), .optionalDType(.float32), .none, .optionalDevice(.cpu), .none])
        }
        defer { seeded = twister }
        let noise = try Tensor(uninitialized: shape, dtype: .float32, in: library)
        try noise.withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            if values.count < 16 {
                for index in values.indices { values[index] = Float(nextNormal(&twister)) }
            } else {
                Self.fill(values, &twister)
            }
        }
        return noise
    }

    /// A float32 tensor of independent numbers in [0, 1) on the CPU, as `torch.rand(shape)`.
    public func uniform(_ shape: [Int], in library: LibTorch) throws -> Tensor {
        guard var twister = seeded else {
            return try library.call(
                "rand",
                [.ints(shape), .optionalDType(.float32), .none, .optionalDevice(.cpu), .none])
        }
        defer { seeded = twister }
        let numbers = try Tensor(uninitialized: shape, dtype: .float32, in: library)
        try numbers.withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            for index in values.indices { values[index] = twister.nextFloat() }
        }
        return numbers
    }

    /// Standard normals of the shape, dtype and device of a tensor, drawn in float32 on the CPU.
    public func normal(like tensor: Tensor) throws -> Tensor {
        try normal(tensor.shape, in: tensor.library).converted(to: tensor.dtype)
            .moved(to: tensor.device)
    }

    /// ATen's `normal_fill`: uniforms first, then Box-Muller in blocks of 16. Where the count is
    /// no multiple of 16, the last 16 values are drawn anew.
    private static func fill(
        _ values: UnsafeMutableBufferPointer<Float>, _ twister: inout MersenneTwister
    ) {
        for index in values.indices { values[index] = twister.nextFloat() }
        for start in stride(from: 0, through: values.count - 16, by: 16) {
            boxMuller(UnsafeMutableBufferPointer(rebasing: values[start..<start + 16]))
        }
        if values.count % 16 != 0 {
            let last = UnsafeMutableBufferPointer(rebasing: values[(values.count - 16)...])
            for index in last.indices { last[index] = twister.nextFloat() }
            boxMuller(last)
        }
    }

    /// 16 uniforms in [0, 1) to 16 normals: the first 8 give the radii, the last 8 the angles.
    private static func boxMuller(_ block: UnsafeMutableBufferPointer<Float>) {
        for index in 0..<8 {
            let radius = sqrtf(-2 * logf(1 - block[index]))
            let angle = 2 * Float.pi * block[index + 8]
            block[index] = radius * cosf(angle)
            block[index + 8] = radius * sinf(angle)
        }
    }

    /// ATen's `normal_distribution<double>`, which serves tensors of fewer than 16 elements.
    private func nextNormal(_ twister: inout MersenneTwister) -> Double {
        if let normal = spare {
            spare = nil
            return normal
        }
        let first = twister.nextDouble()
        let second = twister.nextDouble()
        let radius = sqrt(-2 * log1p(-second))
        let angle = 2 * Double.pi * first
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
