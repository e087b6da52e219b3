import Testing

@testable import Torch

/// A tensor as `reference.py` prints it.
struct PackedTensor: Decodable {
    let shape: [Int]
    let values: [Double]

    func tensor(in library: LibTorch) throws -> Tensor {
        try Tensor(values.map(Float.init), shape: shape, in: library)
    }
}

/// The largest difference, divided by the largest magnitude of the expectation.
func relativeError(_ values: [Double], _ expected: [Double]) -> Double {
    let largest = expected.map(\.magnitude).max() ?? 0
    let difference = zip(values, expected).map { ($0 - $1).magnitude }.max() ?? 0
    return difference / max(largest, .leastNormalMagnitude)
}
