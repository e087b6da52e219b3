import CKernels

extension Tensor {
    /// `[…, 2 n]` to `[…, n]`: a · gelu(b) for the halves a and b of every vector (Shazeer, 2020).
    ///
    /// On the way to a loss, and back, by a kernel where there is one: libtorch's operators go through
    /// memory some twenty times for it, and its own GELU leaks a text in the dispatcher with every call.
    /// - Throws: `TorchError.invalidArgument` for vectors of an odd number of elements.
    package func gatedGELU() throws -> Tensor {
        if isRecorded,
            let machine = try detached().kernelMachine(.default, rank: shape.count),
            let length = shape.last, length % 2 == 0
        {
            return try recordedGatedGELU(size: length / 2, on: machine)
        }
        let parts = try split(into: 2, dimension: shape.count - 1)
        return try parts[0] * parts[1].gelu()
    }

    /// - Parameter size: of what comes out of a vector.
    private func recordedGatedGELU(size: Int, on machine: KernelMachine) throws -> Tensor {
        try Interruption.check()
        let input = try detached().contiguous()
        let rows = input.count / (2 * size)
        var unit = KernelsGatedGELU(
            rows: Int64(rows), size: Int64(size), input: try input.floats(shape))
        let result = try Tensor(
            uninitialized: shape.dropLast() + [size], dtype: .float32, in: library)
        let output = try result.floats(result.shape)
        withExtendedLifetime((input, result)) {
            kernels_gated_gelu(&unit, output, machine.instructions, machine.threads)
        }
        return try result.recorded(from: self) {
            [
                GradientPath(to: self) { gradient in
                    try Interruption.check()
                    let gradient = try gradient.contiguous()
                    let result = try Tensor(
                        uninitialized: input.shape, dtype: .float32, in: input.library)
                    var unit = KernelsGatedGELU(
                        rows: Int64(rows), size: Int64(size), input: try input.floats(input.shape))
                    let output = try result.floats(result.shape)
                    let given = try gradient.floats(gradient.shape)
                    withExtendedLifetime((input, gradient, result)) {
                        kernels_gated_gelu_backward(
                            &unit, given, output, machine.instructions, machine.threads)
                    }
                    return result
                }
            ]
        }
    }
}
