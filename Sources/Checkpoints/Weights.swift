import Torch

/// A checkpoint as a layer sees it: the tensors under a prefix, in the dtype and on the device that
/// the model runs in.
///
///     let weights = Weights(source, dtype: .float32)
///     let convIn = weights / "encoder" / "conv_in"
///     let kernel = try convIn.tensor("weight", shape: [128, 3, 3, 3])
///     …
///     try weights.finish()
///
/// Views share the record of the names used, so that `finish` on any of them knows.
public struct Weights {
    /// The part of a tensor's name before the last one, such as "encoder.conv_in"; empty at the
    /// top.
    public let prefix: String
    /// The dtype of every tensor given.
    public let dtype: DType
    /// The device of every tensor given.
    public let device: Device
    /// How layers compute with them.
    public let precision: Precision
    private let record: Record

    private final class Record {
        let source: any TensorSource
        let parameters: Parameters?
        var used: [String: Tensor] = [:]

        init(_ source: any TensorSource, _ parameters: Parameters?) {
            self.source = source
            self.parameters = parameters
        }
    }

    /// - Parameters:
    ///   - source: where the tensors come from.
    ///   - dtype: of every tensor given.
    ///   - device: of every tensor given.
    ///   - precision: how exactly the layers compute that are made of them.
    ///   - parameters: keeps every tensor given, for training; the layers then compute exactly, by the
    ///     operations whose gradients are known.
    public init(
        _ source: any TensorSource, dtype: DType = .float32, device: Device = .cpu,
        precision: Precision = .default, keepingIn parameters: Parameters? = nil
    ) {
        self.init(
            prefix: "", dtype: dtype, device: device,
            precision: parameters == nil ? precision : .exact, record: Record(source, parameters))
    }

    private init(
        prefix: String, dtype: DType, device: Device, precision: Precision, record: Record
    ) {
        self.prefix = prefix
        self.dtype = dtype
        self.device = device
        self.precision = precision
        self.record = record
    }

    // MARK: - Scopes

    /// The weights of a part: `weights / "encoder"`.
    public static func / (weights: Weights, part: String) -> Weights {
        Weights(
            prefix: weights.fullName(part), dtype: weights.dtype, device: weights.device,
            precision: weights.precision, record: weights.record)
    }

    /// The weights of one part in a list: `weights / "resnets" / 0`.
    public static func / (weights: Weights, index: Int) -> Weights {
        weights / String(index)
    }

    // MARK: - Tensors

    /// Whether a tensor exists, such as the bias that some layers lack.
    public func contains(_ name: String) -> Bool {
        record.source.contains(fullName(name))
    }

    /// The shape of a stored tensor.
    /// - Throws: `CheckpointError.missingTensor`.
    public func shape(of name: String) throws -> [Int] {
        try record.source.spec(of: fullName(name)).shape
    }

    /// The tensor of that name in `dtype`, on `device`, in row-major order; counted as used.
    ///
    /// A tensor that is already so is the mapped file itself, without a copy: never write to it, unless
    /// it is kept in `Parameters`.
    /// - Throws: `CheckpointError.missingTensor`, `.shapeMismatch`; `.unsupportedDType` if the
    ///   elements are no real numbers.
    public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let fullName = fullName(name)
        let stored = try record.source.tensor(named: fullName, shape: shape)
        let storedDType = try stored.dtype
        guard storedDType.isFloatingPoint else {
            throw CheckpointError.unsupportedDType(
                path: record.source.location, name: fullName, dtype: storedDType.rawValue)
        }
        let tensor = try stored.converted(to: dtype).moved(to: device).contiguous()
        record.used[fullName] = tensor
        return try record.parameters?.keep(tensor, as: fullName) ?? tensor
    }

    /// Gives the pages of the mapped file back that the tensors under the prefix fill, until they are read
    /// again, which takes about a hundredth of a second for 100 MB.
    ///
    /// For parts of a model that are done for now while others need memory.
    public func giveBackPages() throws {
        for (name, tensor) in record.used where isInScope(name) { try tensor.giveBackFilePages() }
    }

    /// To be called before the parts of a model are built: there must be no others.
    ///
    /// For a model that builds a part when it is first used, so that no part's `finish` sees the
    /// rest.
    /// - Throws: `CheckpointError.unusedTensors` if a name under the prefix begins with none of
    ///   `parts`.
    public func expect(only parts: [String]) throws {
        let scopes = parts.map { fullName($0) + "." }
        try checkUnused(
            record.source.names.filter { name in
                isInScope(name) && !scopes.contains { name.hasPrefix($0) }
            })
    }

    /// To be called when a model is built: everything under the prefix must have been used.
    ///
    /// - Parameter ignoring: last parts of names that may stay unused; old text encoders store
    ///   `position_ids`, which are 0, 1, 2, ….
    /// - Throws: `CheckpointError.unusedTensors`.
    public func finish(ignoring: Set<String> = ["position_ids"]) throws {
        try checkUnused(
            record.source.names.filter { name in
                isInScope(name) && record.used[name] == nil
                    && !ignoring.contains(name.split(separator: ".").last.map(String.init) ?? name)
            })
    }

    private func checkUnused(_ names: [String]) throws {
        guard names.isEmpty else {
            throw CheckpointError.unusedTensors(
                path: record.source.location, names: names.sorted())
        }
    }

    private func isInScope(_ name: String) -> Bool {
        prefix.isEmpty || name.hasPrefix(prefix + ".")
    }

    private func fullName(_ name: String) -> String {
        prefix.isEmpty ? name : "\(prefix).\(name)"
    }
}
