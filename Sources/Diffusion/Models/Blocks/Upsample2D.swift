import Checkpoints
import Torch
import TorchNN

/// Doubles height and width by repeating elements, then convolves. Answers to diffusers' `Upsample2D`.
struct Upsample2D {
    private let conv: Conv2d

    init(_ weights: Weights, channels: Int) throws {
        conv = try Conv2d(weights / "conv", from: channels, to: channels, kernel: 3, padding: 1)
    }

    /// `[N, channels, H, W]` to `[N, channels, 2 H, 2 W]`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try conv(x.upsampledNearest(height: 2 * x.shape[2], width: 2 * x.shape[3]))
    }
}
