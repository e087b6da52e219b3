import Checkpoints
import Torch

/// Normalisation over the last dimension (Ba et al., 2016). Answers to `torch.nn.LayerNorm`.
public struct LayerNorm {
    private let weight: Tensor
    private let bias: Tensor
    private let epsilon: Double

    public init(_ weights: Weights, size: Int, epsilon: Double = 1e-5) throws {
        weight = try weights.tensor("weight", shape: [size])
        bias = try weights.tensor("bias", shape: [size])
        self.epsilon = epsilon
    }

    /// `[…, size]` to the same shape.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.layerNorm(weight: weight, bias: bias, epsilon: epsilon)
    }
}
