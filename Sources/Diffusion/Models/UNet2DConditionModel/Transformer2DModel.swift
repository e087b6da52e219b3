import Checkpoints
import Torch
import TorchNN

/// Transformer blocks over the places of a feature map, beside a shortcut. Answers to diffusers'
/// `Transformer2DModel` for continuous inputs.
struct Transformer2DModel {
    struct Shape {
        var channels: Int
        var heads: Int
        var contextChannels: Int
        var layers: Int
        var groups: Int
        var usesLinearProjection: Bool
        var onlyCrossAttention: Bool
        var upcastAttention: Bool
    }

    /// Into and out of the blocks' channels: by a linear layer (SD 2.x) or a 1×1 convolution (SD 1.x).
    private enum Projection {
        case linear(into: Linear, out: Linear)
        case convolution(into: Conv2d, out: Conv2d)
    }

    private let norm: GroupNorm
    private let projection: Projection
    private let blocks: [BasicTransformerBlock]

    init(_ weights: Weights, _ shape: Shape) throws {
        let channels = shape.channels
        norm = try GroupNorm(
            weights / "norm", channels: channels, groups: shape.groups, epsilon: 1e-6)
        projection =
            try shape.usesLinearProjection
            ? .linear(
                into: Linear(weights / "proj_in", from: channels, to: channels),
                out: Linear(weights / "proj_out", from: channels, to: channels))
            : .convolution(
                into: Conv2d(weights / "proj_in", from: channels, to: channels, kernel: 1),
                out: Conv2d(weights / "proj_out", from: channels, to: channels, kernel: 1))
        blocks = try (0..<shape.layers).map {
            try BasicTransformerBlock(weights / "transformer_blocks" / $0, shape)
        }
    }

    /// `[N, channels, H, W]` to the same shape; `context` is `[N, tokens, contextChannels]`.
    func callAsFunction(_ x: Tensor, context: Tensor) throws -> Tensor {
        let normal = try norm(x)
        var hidden =
            switch projection {
            case .linear(let into, _): try into(Self.sequence(normal))
            case .convolution(let into, _): try Self.sequence(into(normal))
            }
        for block in blocks { hidden = try block(hidden, context: context) }
        switch projection {
        case .linear(_, let out): return try Self.map(out(hidden), like: x) + x
        case .convolution(_, let out): return try out(Self.map(hidden, like: x), residual: x)
        }
    }

    /// `[N, C, H, W]` to `[N, H W, C]`.
    private static func sequence(_ x: Tensor) throws -> Tensor {
        try x.permuted([0, 2, 3, 1]).reshaped([x.shape[0], x.shape[2] * x.shape[3], x.shape[1]])
    }

    /// `[N, H W, C]` to `[N, C, H, W]`.
    private static func map(_ x: Tensor, like original: Tensor) throws -> Tensor {
        let shape = original.shape
        return try x.reshaped([shape[0], shape[2], shape[3], shape[1]]).permuted([0, 3, 1, 2])
            .contiguous(original.isChannelsLast ? .channelsLast : .contiguous)
    }
}
