import Checkpoints
import Torch
import TorchNN

/// Halves height and width by a convolution of stride 2. Answers to diffusers' `Downsample2D`.
struct Downsample2D {
    private let conv: Conv2d

    init(_ weights: Weights, channels: Int) throws {
        conv = try Conv2d(weights / "conv", from: channels, to: channels, kernel: 3, stride: 2)
    }

    /// `[N, channels, H, W]` to `[N, channels, H / 2, W / 2]`. The autoencoder pads on the right and
    /// at the bottom only (`downsample_padding=0` in diffusers).
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try conv(x.zeroPadded(left: 0, right: 1, top: 0, bottom: 1))
    }
}
