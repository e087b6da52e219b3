import Checkpoints
import Torch
import TorchNN

/// Two convolutions, each after group normalisation and SiLU, beside a shortcut.
///
/// Answers to diffusers' `ResnetBlock2D` without a time embedding.
struct ResnetBlock2D {
    private let norm1: GroupNorm
    private let conv1: Conv2d
    private let norm2: GroupNorm
    private let conv2: Conv2d
    /// A 1×1 convolution where the number of channels changes.
    private let shortcut: Conv2d?

    init(
        _ weights: Weights, from inputs: Int, to outputs: Int, groups: Int, epsilon: Double
    ) throws {
        norm1 = try GroupNorm(weights / "norm1", channels: inputs, groups: groups, epsilon: epsilon)
        conv1 = try Conv2d(weights / "conv1", from: inputs, to: outputs, kernel: 3, padding: 1)
        norm2 = try GroupNorm(
            weights / "norm2", channels: outputs, groups: groups, epsilon: epsilon)
        conv2 = try Conv2d(weights / "conv2", from: outputs, to: outputs, kernel: 3, padding: 1)
        shortcut =
            inputs == outputs
            ? nil : try Conv2d(weights / "conv_shortcut", from: inputs, to: outputs, kernel: 1)
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        var hidden = try conv1(norm1(x).silu())
        hidden = try conv2(norm2(hidden).silu())
        return try (shortcut?(x) ?? x) + hidden
    }
}
