import Checkpoints
import Torch
import TorchNN

/// Self-attention between all places of a feature map, beside a shortcut.
///
/// Answers to diffusers' `Attention` as `UNetMidBlock2D`, `AttnDownBlock2D` and `AttnUpBlock2D` make it.
struct SpatialAttention {
    private let norm: GroupNorm?
    private let attention: Attention
    private let outputScale: Double

    /// - Parameters:
    ///   - heads: that the channels are divided among.
    ///   - groups: of the normalisation; nil for none.
    ///   - outputScale: what the result is divided by.
    init(
        _ weights: Weights, channels: Int, heads: Int = 1, groups: Int?, epsilon: Double,
        outputScale: Double = 1
    ) throws {
        norm = try groups.map {
            try GroupNorm(
                weights / "group_norm", channels: channels, groups: $0, epsilon: epsilon)
        }
        attention = try Attention(weights, channels: channels, heads: heads, bias: true)
        self.outputScale = outputScale
    }

    /// `[N, channels, H, W]` to the same shape.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, channels, places) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let sequence = try (norm?(x) ?? x).reshaped([batch, channels, places]).transposed(1, 2)
        let residual = try x.reshaped([batch, channels, places]).transposed(1, 2)
        let result = try attention(sequence, residual: residual).transposed(1, 2)
            .reshaped(x.shape)
        return try outputScale == 1 ? result : result / outputScale
    }
}
