import Checkpoints
import Torch
import TorchNN

/// Self-attention with one head between all places of a feature map, beside a shortcut.
///
/// Answers to diffusers' `Attention` as the autoencoder's `UNetMidBlock2D` makes it.
struct SpatialAttention {
    private let norm: GroupNorm
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let out: Linear

    init(_ weights: Weights, channels: Int, groups: Int, epsilon: Double) throws {
        norm = try GroupNorm(
            weights / "group_norm", channels: channels, groups: groups, epsilon: epsilon)
        query = try Linear(weights / "to_q", from: channels, to: channels)
        key = try Linear(weights / "to_k", from: channels, to: channels)
        value = try Linear(weights / "to_v", from: channels, to: channels)
        out = try Linear(weights / "to_out" / "0", from: channels, to: channels)
    }

    /// `[N, channels, H, W]` to the same shape.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, channels, places) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let sequence = try norm(x).reshaped([batch, channels, places]).transposed(1, 2)
        let oneHead = [batch, 1, places, channels]
        let attended = try query(sequence).reshaped(oneHead).scaledDotProductAttention(
            key: key(sequence).reshaped(oneHead), value: value(sequence).reshaped(oneHead))
        let hidden = try out(attended.reshaped([batch, places, channels]))
        return try hidden.transposed(1, 2).reshaped(x.shape) + x
    }
}
