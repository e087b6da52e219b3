import Checkpoints
import Torch

/// Convolution with a square kernel. Answers to `torch.nn.Conv2d`.
public struct Conv2d {
    private let weight: Tensor
    private let bias: Tensor?
    private let stride: Int
    private let padding: Int

    /// - Parameter padding: zeros on each side.
    public init(
        _ weights: Weights, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1,
        padding: Int = 0, bias: Bool = true
    ) throws {
        weight = try weights.tensor("weight", shape: [outputs, inputs, kernel, kernel])
        self.bias = bias ? try weights.tensor("bias", shape: [outputs]) : nil
        self.stride = stride
        self.padding = padding
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H', W']`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.conv2d(weight: weight, bias: bias, stride: stride, padding: padding)
    }
}
