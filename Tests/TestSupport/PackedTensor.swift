import Torch

/// A tensor as the reference scripts print it.
public struct PackedTensor: Decodable, Sendable {
    public let shape: [Int]
    public let values: [Double]

    public func tensor(_ dtype: DType = .float32, in library: LibTorch) throws -> Tensor {
        try Tensor(values, shape: shape, in: library).converted(to: dtype)
    }

    /// The largest difference to `tensor`, divided by the largest magnitude here. Infinite if the
    /// shapes differ or a value is no number.
    public func relativeError(of tensor: Tensor) throws -> Double {
        guard tensor.shape == shape else { return .infinity }
        let largest = values.map(\.magnitude).max() ?? 0
        let differences = zip(try tensor.elements(as: Double.self), values).map {
            ($0 - $1).magnitude
        }
        guard differences.allSatisfy(\.isFinite) else { return .infinity }
        return (differences.max() ?? 0) / max(largest, .leastNormalMagnitude)
    }
}
