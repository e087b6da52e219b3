import Torch

/// Random weights for tests and fixtures, none of them 0 or 1: whatever is asked for exists.
///
/// A matrix or a kernel is drawn from N(0, 1/fanIn), which keeps the scale of what passes through
/// it; the weight of a normalisation from N(1, 0.02²), a bias from N(0, 0.02²). A tensor depends on
/// the seed and its name alone, not on the order of the requests.
public final class RandomSource: TensorSource {
    public let location: String
    private let seed: UInt32
    private let library: LibTorch
    private var requested: [String: TensorSpec] = [:]

    public init(seed: UInt32, in library: LibTorch) {
        self.location = "random weights (seed \(seed))"
        self.seed = seed
        self.library = library
    }

    /// The names asked for so far.
    public var names: [String] { requested.keys.sorted() }

    public func contains(_ name: String) -> Bool { true }

    /// - Throws: `CheckpointError.missingTensor` for a tensor that was not asked for yet: its shape
    ///   is the request's.
    public func spec(of name: String) throws -> TensorSpec {
        guard let spec = requested[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return spec
    }

    public func tensor(named name: String) throws -> Tensor {
        try tensor(named: name, shape: spec(of: name).shape)
    }

    /// A float32 tensor of that shape. The last request for a name decides its shape.
    public func tensor(named name: String, shape: [Int]) throws -> Tensor {
        let generator = NoiseGenerator(seed: UInt64(seed ^ name.stableHash))
        let noise = try generator.normal(shape, in: library)
        requested[name] = TensorSpec(shape: shape, dtype: .float32)
        guard shape.count >= 2 else {
            let centre = name == "weight" || name.hasSuffix(".weight") ? 1.0 : 0.0
            return try 0.02 * noise + centre
        }
        let fanIn = noise.count / max(shape.first ?? 1, 1)
        return try (1 / Double(max(fanIn, 1)).squareRoot()) * noise
    }
}

extension String {
    /// FNV-1a: Swift's own hashes differ from one process to the next.
    var stableHash: UInt32 {
        utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
