import Checkpoints
import Torch

/// `x Wᵀ + b` over the last dimension. Answers to `torch.nn.Linear`.
public struct Linear {
    private let weight: Tensor
    private let bias: Tensor?
    private let precision: Precision

    public init(_ weights: Weights, from inputs: Int, to outputs: Int, bias: Bool = true) throws {
        weight = try weights.tensor("weight", shape: [outputs, inputs])
        self.bias = bias ? try weights.tensor("bias", shape: [outputs]) : nil
        precision = weights.precision
    }

    /// `[…, inputs]` to `[…, outputs]`.
    /// - Parameters:
    ///   - x: the input.
    ///   - residual: added to the result, and of its shape.
    public func callAsFunction(_ x: Tensor, residual: Tensor? = nil) throws -> Tensor {
        if let machine = try machine(for: x) {
            var linear = KernelLinear(weight: weight, bias: bias)
            linear.residual = residual
            return try linear(x, on: machine)
        }
        let result = try x.linear(weight: weight, bias: bias)
        return try residual.map { try result + $0 } ?? result
    }

    /// The gated linear unit of Shazeer (2020) after the layer: `[N, length, inputs]` to
    /// `[N, length, outputs / 2]`, a · gelu(b) for the halves a and b of what the layer gives.
    public func geglu(_ x: Tensor) throws -> Tensor {
        if let machine = try machine(for: x) {
            var linear = KernelLinear(weight: weight, bias: bias)
            linear.isGated = true
            return try linear(x, on: machine)
        }
        return try self(x).gatedGELU()
    }

    /// What a kernel for sequences of vectors would run on; nil if there is none.
    private func machine(for x: Tensor) throws -> KernelMachine? {
        try x.kernelMachine(precision, rank: 3)
    }
}
