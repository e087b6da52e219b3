import Checkpoints
import Torch
import TorchNN

/// Self-attention with one head between all places of a feature map, beside a shortcut.
///
/// Answers to diffusers' `Attention` as the autoencoder's `UNetMidBlock2D` makes it.
struct SpatialAttention {
    private let norm: GroupNorm
    private let attention: Attention

    init(_ weights: Weights, channels: Int, groups: Int, epsilon: Double) throws {
        norm = try GroupNorm(
            weights / "group_norm", channels: channels, groups: groups, epsilon: epsilon)
        attention = try Attention(weights, channels: channels, heads: 1, bias: true)
    }

    /// `[N, channels, H, W]` to the same shape.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, channels, places) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let sequence = try norm(x).reshaped([batch, channels, places]).transposed(1, 2)
        let residual = try x.reshaped([batch, channels, places]).transposed(1, 2)
        return try attention(sequence, residual: residual).transposed(1, 2).reshaped(x.shape)
    }
}
