import Checkpoints
import Torch

/// The input of a diffusion model's decoder for one picture: `[1, C, H / 8, W / 8]`, scaled to about
/// unit variance, in the dtype and on the device of the extractor that made it.
public final class Latents {
    /// Contiguous.
    public let tensor: Tensor

    init(_ tensor: Tensor) throws {
        self.tensor = try tensor.contiguous()
    }

    /// Latents that were written to a file.
    /// - Throws: `TorchError` if the tensor cannot be made.
    public convenience init(_ saved: SavedTensor, in library: LibTorch) throws {
        let tensor = try Tensor(uninitialized: saved.shape, dtype: saved.dtype, in: library)
        try tensor.withUnsafeMutableBytes { $0.copyBytes(from: saved.elements) }
        try self.init(tensor)
    }

    /// Batch (1), channels, height, width.
    public var shape: [Int] { tensor.shape }

    /// The values in row-major order.
    public func values() throws -> [Float] {
        try tensor.elements()
    }

    /// Writes a file that `torch.load(path, weights_only=True)` gives back as one tensor of the same
    /// dtype, on the CPU. The file appears whole or not at all.
    public func write(to path: String) throws {
        try TorchFileWriter.write(tensor, to: path)
    }
}
