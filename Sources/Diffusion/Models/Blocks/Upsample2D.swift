import Checkpoints
import Torch
import TorchNN

/// Enlarges by repeating elements, then convolves. Answers to diffusers' `Upsample2D`.
struct Upsample2D {
    private let conv: Conv2d

    init(_ weights: Weights, channels: Int) throws {
        conv = try Conv2d(weights / "conv", from: channels, to: channels, kernel: 3, padding: 1)
    }

    /// `[N, channels, H, W]` to twice the height and width, or to a given size: an odd size halved
    /// and doubled is not what it was.
    func callAsFunction(_ x: Tensor, size: (height: Int, width: Int)? = nil) throws -> Tensor {
        try conv(x, enlargedTo: size ?? (2 * x.shape[2], 2 * x.shape[3]))
    }
}
