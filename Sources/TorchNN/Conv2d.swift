import Checkpoints
import Torch

/// Convolution with a square kernel. Answers to `torch.nn.Conv2d`.
public struct Conv2d {
    private let weight: Tensor
    private let bias: Tensor?
    private let stride: Int
    private let padding: Int

    /// - Parameters:
    ///   - weights: `weight` and, if there is one, `bias`.
    ///   - inputs: number of channels that go in.
    ///   - outputs: number of channels that come out.
    ///   - kernel: its side, in places.
    ///   - stride: places from one application of the kernel to the next.
    ///   - padding: zeros on each side.
    ///   - bias: whether there is one.
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
