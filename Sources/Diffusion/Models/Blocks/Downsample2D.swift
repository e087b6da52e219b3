import Checkpoints
import Torch
import TorchNN

/// Halves height and width by a convolution of stride 2. Answers to diffusers' `Downsample2D`.
struct Downsample2D {
    private let conv: Conv2d
    private let padsOneSide: Bool

    /// - Parameter padding: zeros on each side. Without any, as in the autoencoder, there is one row
    ///   at the bottom and one column on the right.
    init(_ weights: Weights, channels: Int, padding: Int) throws {
        conv = try Conv2d(
            weights / "conv", from: channels, to: channels, kernel: 3, stride: 2, padding: padding)
        padsOneSide = padding == 0
    }

    /// `[N, channels, H, W]` to `[N, channels, H / 2, W / 2]`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        padsOneSide ? try conv.paddedAfter(x) : try conv(x)
    }
}
