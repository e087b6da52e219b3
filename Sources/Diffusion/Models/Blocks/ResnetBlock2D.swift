import Checkpoints
import Torch
import TorchNN

/// Two convolutions, each after group normalisation and SiLU, beside a shortcut.
///
/// Answers to diffusers' `ResnetBlock2D` with `time_embedding_norm="default"`.
struct ResnetBlock2D {
    private let norm1: GroupNorm
    private let conv1: Conv2d
    private let timeProjection: Linear?
    private let norm2: GroupNorm
    private let conv2: Conv2d
    /// A 1×1 convolution where the number of channels changes.
    private let shortcut: Conv2d?

    /// - Parameter timeChannels: size of the time embedding; nil for a block that knows no time.
    init(
        _ weights: Weights, from inputs: Int, to outputs: Int, timeChannels: Int? = nil,
        groups: Int,
        epsilon: Double
    ) throws {
        norm1 = try GroupNorm(weights / "norm1", channels: inputs, groups: groups, epsilon: epsilon)
        conv1 = try Conv2d(weights / "conv1", from: inputs, to: outputs, kernel: 3, padding: 1)
        timeProjection = try timeChannels.map {
            try Linear(weights / "time_emb_proj", from: $0, to: outputs)
        }
        norm2 = try GroupNorm(
            weights / "norm2", channels: outputs, groups: groups, epsilon: epsilon)
        conv2 = try Conv2d(weights / "conv2", from: outputs, to: outputs, kernel: 3, padding: 1)
        shortcut =
            inputs == outputs
            ? nil : try Conv2d(weights / "conv_shortcut", from: inputs, to: outputs, kernel: 1)
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`; `time` is `[N, timeChannels]`.
    ///
    /// Who gives `x` away saves memory: the result takes its place, or it is freed on the way.
    func callAsFunction(_ x: consuming Tensor, time: Tensor? = nil) throws -> Tensor {
        let offsets = try time.flatMap { time in try timeProjection?(time.silu()) }
        let hidden = try conv1(norm1.silu(x), offsets: offsets)
        if let shortcut { x = try shortcut(x) }
        return try conv2(norm2.silu(hidden), residual: consume x)
    }
}
