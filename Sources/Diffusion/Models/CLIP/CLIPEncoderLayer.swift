import Checkpoints
import Torch
import TorchNN

/// Self-attention and a feed-forward layer, each normalised first and beside a shortcut.
///
/// Answers to transformers' `CLIPEncoderLayer`, which CLIP's two towers share.
struct CLIPEncoderLayer {
    private enum Activation {
        case quickGELU
        case gelu
    }

    private let norm1: LayerNorm
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let out: Linear
    private let norm2: LayerNorm
    private let linear1: Linear
    private let linear2: Linear
    private let heads: Int
    private let activation: Activation
    private let isCausal: Bool

    /// - Parameter isCausal: whether a place sees only itself and the places before it, as those of a
    ///   text do.
    init(_ weights: Weights, _ configuration: some CLIPEncoderConfiguration, isCausal: Bool) throws
    {
        let size = configuration.hiddenSize
        let attention = weights / "self_attn"
        norm1 = try LayerNorm(
            weights / "layer_norm1", size: size, epsilon: configuration.layerNormEps)
        query = try Linear(attention / "q_proj", from: size, to: size)
        key = try Linear(attention / "k_proj", from: size, to: size)
        value = try Linear(attention / "v_proj", from: size, to: size)
        out = try Linear(attention / "out_proj", from: size, to: size)
        norm2 = try LayerNorm(
            weights / "layer_norm2", size: size, epsilon: configuration.layerNormEps)
        linear1 = try Linear(
            weights / "mlp" / "fc1", from: size, to: configuration.intermediateSize)
        linear2 = try Linear(
            weights / "mlp" / "fc2", from: configuration.intermediateSize, to: size)
        heads = configuration.numAttentionHeads
        activation = configuration.hiddenAct == "gelu" ? .gelu : .quickGELU
        self.isCausal = isCausal
    }

    /// `[N, length, size]` to the same shape.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let hidden = try x + attend(norm1(x))
        return try hidden + linear2(activated(linear1(norm2(hidden))))
    }

    private func attend(_ x: Tensor) throws -> Tensor {
        let attended = try split(query(x)).scaledDotProductAttention(
            key: split(key(x)), value: split(value(x)), isCausal: isCausal)
        return try out(attended.transposed(1, 2).reshaped(x.shape))
    }

    /// `[N, length, size]` to `[N, heads, length, size / heads]`.
    private func split(_ x: Tensor) throws -> Tensor {
        try x.reshaped([x.shape[0], x.shape[1], heads, -1]).transposed(1, 2)
    }

    private func activated(_ x: Tensor) throws -> Tensor {
        switch activation {
        case .gelu: try x.gelu()
        case .quickGELU: try x * (1.702 * x).sigmoid()
        }
    }
}
