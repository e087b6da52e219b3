import Torch

/// What is known of a stored tensor before it is read.
public struct TensorSpec: Equatable, Sendable {
    /// The size of each dimension.
    public let shape: [Int]
    /// The type in which the elements are stored.
    public let dtype: DType

    public init(shape: [Int], dtype: DType) {
        self.shape = shape
        self.dtype = dtype
    }

    /// Number of elements; 0 for a shape whose product is no number.
    public var count: Int { TensorGeometry.product(shape) ?? 0 }
}

/// Tensors by name: a file, several files, or memory.
///
/// Like the tensors that it gives, a source belongs to one thread at a time.
public protocol TensorSource {
    /// Where the tensors come from, as errors name it: a path.
    var location: String { get }

    /// The names of all tensors.
    var names: [String] { get }

    func contains(_ name: String) -> Bool

    /// Shape and dtype of a tensor, without reading its elements.
    /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`, or what is wrong with the
    ///   file.
    func spec(of name: String) throws -> TensorSpec

    /// A tensor on the CPU as it is stored; where possible a view of the file, so never write to
    /// it.
    /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`, or what is wrong with the
    ///   file.
    func tensor(named name: String) throws -> Tensor

    /// A tensor of a known shape.
    /// - Throws: `CheckpointError.shapeMismatch`, and as `tensor(named:)`.
    func tensor(named name: String, shape: [Int]) throws -> Tensor
}

extension TensorSource {
    public func tensor(named name: String, shape: [Int]) throws -> Tensor {
        let found = try spec(of: name).shape
        guard found == shape else {
            throw CheckpointError.shapeMismatch(
                path: location, name: name, expected: shape, found: found)
        }
        return try tensor(named: name)
    }

    /// The types in which tensors are stored, the one with most elements first.
    public func dtypes() throws -> [DType] {
        let counts = try names.reduce(into: [DType: Int]()) { counts, name in
            let spec = try spec(of: name)
            counts[spec.dtype, default: 0] += spec.count
        }
        return counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map(\.key)
    }
}
