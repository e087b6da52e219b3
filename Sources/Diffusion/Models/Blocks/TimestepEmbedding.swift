import Checkpoints
import Glibc
import Torch
import TorchNN

/// A timestep as a vector: sines and cosines of it (Vaswani et al., 2017, section 3.5), then two layers.
///
/// Answers to diffusers' `Timesteps` followed by `TimestepEmbedding`.
struct TimestepEmbedding {
    private let frequencies: Tensor
    private let flipsSinToCos: Bool
    private let linear1: Linear
    private let linear2: Linear
    private let dtype: DType
    private let device: Device
    private let library: LibTorch

    /// - Parameters:
    ///   - channels: sines and cosines together.
    ///   - size: of the embedding.
    init(
        _ weights: Weights, channels: Int, size: Int, flipsSinToCos: Bool, frequencyShift: Double,
        in library: LibTorch
    ) throws {
        let half = channels / 2
        // In float32 and by libtorch's own exponential, step for step as in the reference: a
        // difference in the last place is multiplied by timesteps of up to 1000.
        let exponents = (0..<half).map {
            Float(-log(10000.0 as Double)) * Float($0) / Float(Double(half) - frequencyShift)
        }
        frequencies = try Tensor(exponents, shape: [1, half], in: library).exponential()
        self.flipsSinToCos = flipsSinToCos
        linear1 = try Linear(weights / "linear_1", from: channels, to: size)
        linear2 = try Linear(weights / "linear_2", from: size, to: size)
        dtype = weights.dtype
        device = weights.device
        self.library = library
    }

    /// `[1, size]`
    func callAsFunction(_ timestep: Double) throws -> Tensor {
        try embedding(angles: timestep * frequencies)
    }

    /// `[N, size]` of a timestep for each of N samples; `[1, size]` where all have the same, which is
    /// computed once.
    /// - Throws: `TorchError.invalidArgument` if there is no timestep.
    func callAsFunction(_ timesteps: [Int]) throws -> Tensor {
        guard let first = timesteps.first else {
            throw TorchError.invalidArgument("timestep: there is none; one per sample is needed.")
        }
        if timesteps.allSatisfy({ $0 == first }) { return try self(Double(first)) }
        let column = try Tensor(
            timesteps.map(Float.init), shape: [timesteps.count, 1], in: library)
        return try embedding(angles: column * frequencies)
    }

    /// Of angles `[N, channels / 2]`, in radians.
    private func embedding(angles: Tensor) throws -> Tensor {
        let waves =
            try flipsSinToCos
            ? [angles.cosine(), angles.sine()] : [angles.sine(), angles.cosine()]
        let projected = try Tensor.concatenated(waves, dimension: 1)
        return try linear2(linear1(projected.converted(to: dtype).moved(to: device)).silu())
    }
}
