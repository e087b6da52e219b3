import Checkpoints
import Torch
import TorchNN

/// Self-attention, attention to the prompt, and a feed-forward layer, each normalised first and beside
/// a shortcut. Answers to diffusers' `BasicTransformerBlock`.
struct BasicTransformerBlock {
    private let norm1: LayerNorm
    private let attention1: Attention
    private let norm2: LayerNorm
    private let attention2: Attention
    private let norm3: LayerNorm
    private let feedForward: GEGLUFeedForward
    private let onlyCrossAttention: Bool

    init(_ weights: Weights, _ shape: Transformer2DModel.Shape) throws {
        let channels = shape.channels
        onlyCrossAttention = shape.onlyCrossAttention
        norm1 = try LayerNorm(weights / "norm1", size: channels)
        attention1 = try Attention(
            weights / "attn1", channels: channels,
            contextChannels: onlyCrossAttention ? shape.contextChannels : nil, heads: shape.heads,
            bias: false, upcasts: shape.upcastAttention)
        norm2 = try LayerNorm(weights / "norm2", size: channels)
        attention2 = try Attention(
            weights / "attn2", channels: channels, contextChannels: shape.contextChannels,
            heads: shape.heads, bias: false, upcasts: shape.upcastAttention)
        norm3 = try LayerNorm(weights / "norm3", size: channels)
        feedForward = try GEGLUFeedForward(weights / "ff", channels: channels)
    }

    /// `[N, places, channels]` to the same shape; `context` is `[N, tokens, contextChannels]`.
    func callAsFunction(_ x: Tensor, context: Tensor) throws -> Tensor {
        var hidden = x
        hidden = try attention1(
            norm1(hidden), context: onlyCrossAttention ? context : nil, residual: hidden)
        hidden = try attention2(norm2(hidden), context: context, residual: hidden)
        return try feedForward(norm3(hidden), residual: hidden)
    }
}

/// Two layers with a gated linear unit between them (Shazeer, 2020). Answers to diffusers' `FeedForward`
/// with `geglu`.
private struct GEGLUFeedForward {
    private let projection: Linear
    private let out: Linear

    init(_ weights: Weights, channels: Int) throws {
        let inner = 4 * channels
        projection = try Linear(weights / "net" / "0" / "proj", from: channels, to: 2 * inner)
        out = try Linear(weights / "net" / "2", from: inner, to: channels)
    }

    func callAsFunction(_ x: Tensor, residual: Tensor) throws -> Tensor {
        try out(projection.geglu(x), residual: residual)
    }
}
