import Torch

/// The weights that a model has before any training, as PyTorch's layers begin with them: whatever is
/// asked for exists.
///
/// Unlike `RandomSource`, whose biases and normalisations are random as well so that tests see them. A
/// tensor depends on the seed and its name alone.
public final class InitialWeights: TensorSource {
    /// What a tensor's elements are drawn from.
    public enum Values: Equatable, Sendable {
        case constant(Double)
        /// Between -bound and bound.
        case uniform(bound: Double)
        /// Around 0.
        case normal(deviation: Double)
    }

    /// Says how a tensor begins.
    /// - Parameters:
    ///   - name: of the tensor.
    ///   - shape: of the tensor.
    ///   - weight: for a bias the shape of the weight beside it, where that was asked for before.
    public typealias Rule = (_ name: String, _ shape: [Int], _ weight: [Int]?) -> Values

    public let location: String
    private let seed: UInt32
    private let rule: Rule
    private let library: LibTorch
    private var requested: [String: [Int]] = [:]

    /// - Parameters:
    ///   - seed: of all tensors.
    ///   - library: that they are of.
    ///   - rule: how each begins; as a layer of PyTorch unless given.
    public init(seed: UInt32, in library: LibTorch, rule: @escaping Rule = torchLayer) {
        location = "initial weights (seed \(seed))"
        self.seed = seed
        self.library = library
        self.rule = rule
    }

    /// `torch.nn.Linear` and `Conv2d`: uniform within 1/√fanIn (He et al., 2015, with a slope of √5),
    /// their biases too. Normalisations: 1, and 0 for the bias.
    public static func torchLayer(_ name: String, _ shape: [Int], _ weight: [Int]?) -> Values {
        guard let weight = shape.count > 1 ? shape : weight, weight.count > 1 else {
            return .constant(name.hasSuffix("bias") ? 0 : 1)
        }
        let fanIn = weight.dropFirst().reduce(1, *)
        return .uniform(bound: 1 / Double(max(fanIn, 1)).squareRoot())
    }

    /// The names asked for so far.
    public var names: [String] { requested.keys.sorted() }

    public func contains(_ name: String) -> Bool { true }

    /// - Throws: `CheckpointError.missingTensor` for a tensor that was not asked for yet: its shape
    ///   is the request's.
    public func spec(of name: String) throws -> TensorSpec {
        guard let shape = requested[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return TensorSpec(shape: shape, dtype: .float32)
    }

    public func tensor(named name: String) throws -> Tensor {
        try tensor(named: name, shape: spec(of: name).shape)
    }

    /// A float32 tensor of that shape. The last request for a name decides its shape.
    public func tensor(named name: String, shape: [Int]) throws -> Tensor {
        requested[name] = shape
        let bias = "bias"
        let weight =
            name.hasSuffix(bias) ? requested[name.dropLast(bias.count) + "weight"] : nil
        let generator = NoiseGenerator(seed: UInt64(seed ^ name.stableHash))
        switch rule(name, shape, weight) {
        case .constant(let value):
            let count = TensorGeometry.elementCount(of: shape) ?? 0
            return try Tensor(
                [Float](repeating: Float(value), count: count), shape: shape, in: library)
        case .uniform(let bound):
            return try 2 * bound * (generator.uniform(shape, in: library) - 0.5)
        case .normal(let deviation):
            return try deviation * generator.normal(shape, in: library)
        }
    }
}
