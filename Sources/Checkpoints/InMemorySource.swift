import Torch

/// Tensors in a dictionary: for tests, and for weights that training has changed.
public struct InMemorySource: TensorSource {
    public let location: String
    private let tensors: [String: Tensor]

    /// - Parameters:
    ///   - tensors: by their names.
    ///   - location: what errors call this source.
    public init(_ tensors: [String: Tensor], location: String = "memory") {
        self.tensors = tensors
        self.location = location
    }

    public var names: [String] { tensors.keys.sorted() }

    public func contains(_ name: String) -> Bool { tensors[name] != nil }

    public func spec(of name: String) throws -> TensorSpec {
        let tensor = try tensor(named: name)
        return TensorSpec(shape: tensor.shape, dtype: try tensor.dtype)
    }

    public func tensor(named name: String) throws -> Tensor {
        guard let tensor = tensors[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return tensor
    }
}
