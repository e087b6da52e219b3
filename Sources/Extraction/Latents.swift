import Checkpoints
import Torch

/// The input of a diffusion model's decoder for one picture: float32, `[1, C, H / 8, W / 8]`, scaled
/// to about unit variance.
public final class Latents {
    /// On the CPU, contiguous.
    let tensor: Tensor

    init(_ tensor: Tensor) throws {
        self.tensor = try tensor.converted(to: .float32).moved(to: .cpu).contiguous()
    }

    /// Batch (1), channels, height, width.
    public var shape: [Int] { tensor.shape }

    /// The values in row-major order.
    public func values() throws -> [Float] {
        try tensor.elements()
    }

    /// The values where they are, valid as long as `body` runs.
    public func withUnsafeValues<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) throws -> Result {
        try tensor.withUnsafeBytes { try body($0.bindMemory(to: Float.self)) }
    }

    /// Writes a file that `torch.load(path, weights_only=True)` gives back as one tensor. The file
    /// appears whole or not at all.
    public func write(to path: String) throws {
        try TorchFileWriter.write(tensor, to: path)
    }
}
