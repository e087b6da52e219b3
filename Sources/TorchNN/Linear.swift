import Checkpoints
import Torch

/// `x Wᵀ + b` over the last dimension. Answers to `torch.nn.Linear`.
public struct Linear {
    private let weight: Tensor
    private let bias: Tensor?

    public init(_ weights: Weights, from inputs: Int, to outputs: Int, bias: Bool = true) throws {
        weight = try weights.tensor("weight", shape: [outputs, inputs])
        self.bias = bias ? try weights.tensor("bias", shape: [outputs]) : nil
    }

    /// `[…, inputs]` to `[…, outputs]`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.linear(weight: weight, bias: bias)
    }
}
