import Checkpoints
import Torch

/// Normalisation over groups of channels (Wu and He, 2018). Answers to `torch.nn.GroupNorm`.
public struct GroupNorm {
    private let weight: Tensor
    private let bias: Tensor
    private let groups: Int
    private let epsilon: Double
    private let precision: Precision

    public init(_ weights: Weights, channels: Int, groups: Int, epsilon: Double) throws {
        weight = try weights.tensor("weight", shape: [channels])
        bias = try weights.tensor("bias", shape: [channels])
        self.groups = groups
        self.epsilon = epsilon
        precision = weights.precision
    }

    /// `[N, channels, …]` to the same shape.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        if let machine = try x.kernelMachine(precision) { return try kernel(x, on: machine) }
        return try x.groupNorm(groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }

    /// SiLU(norm(x)) for a convolution to compute as it reads: `conv(norm.silu(x))`.
    public func silu(_ x: Tensor) -> NormalizedSiLU {
        NormalizedSiLU(x: x, norm: self)
    }

    fileprivate var kernel: KernelGroupNorm {
        KernelGroupNorm(groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }
}

/// SiLU of a normalised feature map, yet to be computed.
public struct NormalizedSiLU {
    /// The feature map as it is.
    let x: Tensor
    private let norm: GroupNorm

    fileprivate init(x: Tensor, norm: GroupNorm) {
        self.x = x
        self.norm = norm
    }

    /// The whole feature map.
    func computed() throws -> Tensor {
        try norm(x).silu()
    }

    /// What normalises it, for a kernel that goes on from there.
    func factors(on machine: KernelMachine) throws -> ChannelFactors {
        try norm.kernel.factors(of: x, on: machine)
    }
}
