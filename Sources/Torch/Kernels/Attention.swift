import CKernels

/// Multi-head attention between sequences of vectors as linear layers give them: heads beside each other.
///
/// Answers to `scaledDotProductAttention` of what is divided among heads before and put together after.
package struct KernelAttention {
    /// That the floats of a vector are divided among.
    package let heads: Int

    package init(heads: Int) {
        self.heads = heads
    }

    /// - Parameters:
    ///   - query: `[N, length, channels]`.
    ///   - key: `[N, attended length, channels]`.
    ///   - value: of the shape of `key`.
    ///   - machine: what to run on.
    /// - Returns: `[N, length, channels]`.
    package func callAsFunction(
        _ query: Tensor, key: Tensor, value: Tensor, on machine: KernelMachine
    ) throws -> Tensor {
        try Interruption.check()
        guard query.shape.count == 3, key.shape.count == 3, query.count > 0, key.count > 0,
            query.shape[0] == key.shape[0], query.shape[2] == key.shape[2],
            key.shape == value.shape, heads > 0, query.shape[2] % heads == 0
        else {
            throw TorchError.invalidArgument(
                """
                Queries of shape \(query.shape), keys of shape \(key.shape) and values of shape \
                \(value.shape) do not fit together with \(heads) heads.
                """)
        }
        let size = query.shape[2] / heads
        let (query, key, value) = try (query.contiguous(), key.contiguous(), value.contiguous())
        let result = try Tensor(reusingMemory: query.shape, in: query.library)
        var attention = KernelsAttention(
            batch: Int64(query.shape[0]), heads: Int64(heads), queries: Int64(query.shape[1]),
            keys: Int64(key.shape[1]), size: Int64(size), scale: 1 / Float(size).squareRoot(),
            query: try query.floats(query.shape), key: try key.floats(key.shape),
            value: try value.floats(key.shape), output: try result.floats(query.shape))
        let scratch = try ReusedMemory.block(
            byteCount: kernels_attention_scratch(
                &attention, machine.instructions, machine.threads.count))
        withExtendedLifetime((query, key, value, result, scratch)) {
            kernels_attend(&attention, machine.instructions, machine.threads, scratch.address)
        }
        return result
    }
}
