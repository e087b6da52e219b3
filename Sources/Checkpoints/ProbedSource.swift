import Torch

/// Stands before a source to learn all that is wrong with it for a model, rather than the first thing:
/// tensors that are missing or of another shape are noted, and others given in their place.
public final class ProbedSource: TensorSource {
    private let base: any TensorSource
    private let library: LibTorch
    /// What was asked for and is not there.
    public private(set) var missing: [String] = []
    /// What is there in another shape than was asked for, with both.
    public private(set) var mismatched: [(name: String, expected: [Int], found: [Int])] = []

    public init(_ base: any TensorSource, in library: LibTorch) {
        self.base = base
        self.library = library
    }

    public var location: String { base.location }
    public var names: [String] { base.names }

    public func contains(_ name: String) -> Bool { base.contains(name) }

    public func spec(of name: String) throws -> TensorSpec { try base.spec(of: name) }

    public func tensor(named name: String) throws -> Tensor {
        try base.tensor(named: name)
    }

    public func tensor(named name: String, shape: [Int]) throws -> Tensor {
        guard base.contains(name) else {
            missing.append(name)
            return try placeholder(shape)
        }
        let found = try base.spec(of: name).shape
        guard found == shape else {
            mismatched.append((name, shape, found))
            return try placeholder(shape)
        }
        return try base.tensor(named: name)
    }

    /// Memory that nobody touches is not taken from the machine.
    private func placeholder(_ shape: [Int]) throws -> Tensor {
        try Tensor(uninitialized: shape, dtype: .float32, in: library)
    }
}
