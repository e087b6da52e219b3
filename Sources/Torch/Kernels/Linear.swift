import CKernels

/// A linear layer over the last dimension with what stands after it in a transformer, in one pass.
///
/// Answers to `residual + linear(x, weight, bias)`; or, if it is gated, to `residual + a · gelu(b)` with the
/// halves a and b of what the layer gives.
package struct KernelLinear {
    /// `[outputs, inputs]`, of which a gate halves the outputs.
    package let weight: Tensor
    /// `[outputs]`
    package let bias: Tensor?
    package var isGated = false
    /// Of the shape of the result.
    package var residual: Tensor?

    package init(weight: Tensor, bias: Tensor?) {
        self.weight = weight
        self.bias = bias
    }

    /// `[…, inputs]` to `[…, outputs]`, or half as many if it is gated.
    package func callAsFunction(_ x: Tensor, on machine: KernelMachine) throws -> Tensor {
        try Interruption.check()
        guard let inputs = x.shape.last, x.count > 0, weight.shape.count == 2,
            weight.shape[1] == inputs, !isGated || weight.shape[0] % 2 == 0
        else {
            throw TorchError.invalidArgument(
                "Vectors of shape \(x.shape) do not fit weights of shape \(weight.shape).")
        }
        let outputs = weight.shape[0] / (isGated ? 2 : 1)
        let shape = Array(x.shape.dropLast()) + [outputs]
        let input = try x.contiguous()
        let residual = try residual?.contiguous()
        let result = try Tensor(reusingMemory: shape, in: x.library)
        var linear = KernelsLinear(
            rows: Int64(x.count / inputs), inputs: Int64(inputs), outputs: Int64(outputs),
            is_gated: isGated, input: try input.floats(x.shape),
            weight: try weight.floats(weight.shape), bias: try bias?.floats([weight.shape[0]]),
            residual: try residual?.floats(shape), output: try result.floats(shape))
        let scratch = try ReusedMemory.block(
            byteCount: kernels_linear_scratch(&linear, machine.instructions, machine.threads.count))
        withExtendedLifetime((self, input, residual, result, scratch)) {
            kernels_linear(&linear, machine.instructions, machine.threads, scratch.address)
        }
        return result
    }
}
