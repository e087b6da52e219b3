import Checkpoints
import Torch

/// A table of vectors, one for each number. Answers to `torch.nn.Embedding`.
public struct Embedding {
    private let table: Tensor

    public init(_ weights: Weights, count: Int, size: Int) throws {
        table = try weights.tensor("weight", shape: [count, size])
    }

    /// Numbers `[…]` of dtype int64 to vectors `[…, size]`.
    /// - Throws: `TorchError.operationFailed` if a number is not in the table.
    public func callAsFunction(_ numbers: Tensor) throws -> Tensor {
        try numbers.embedded(in: table)
    }
}
