import Checkpoints
import Torch

/// Normalisation over groups of channels (Wu and He, 2018). Answers to `torch.nn.GroupNorm`.
public struct GroupNorm {
    private let weight: Tensor
    private let bias: Tensor
    private let groups: Int
    private let epsilon: Double

    public init(_ weights: Weights, channels: Int, groups: Int, epsilon: Double) throws {
        weight = try weights.tensor("weight", shape: [channels])
        bias = try weights.tensor("bias", shape: [channels])
        self.groups = groups
        self.epsilon = epsilon
    }

    /// `[N, channels, …]` to the same shape.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.groupNorm(groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }
}
