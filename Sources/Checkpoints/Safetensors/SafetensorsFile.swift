import Torch

/// A safetensors file, mapped into memory: tensors are views of the file.
///
/// The whole header is checked at once, the tensors' elements are not touched. A tensor of a dtype
/// that the format knows and no tensor here can have is an error when it is asked for.
public final class SafetensorsFile: TensorSource {
    private let file: MappedFile
    private let library: LibTorch
    private let entries: [String: SafetensorsHeader.Entry]

    /// In the order of the data.
    public let names: [String]
    /// The free texts that the file's writer left.
    public let metadata: [String: String]

    /// - Throws: `CheckpointError.cannotOpen`, `.malformed`; `.unsupportedDType` for a dtype that
    ///   safetensors does not know.
    public init(path: String, in library: LibTorch) throws {
        file = try MappedFile(path: path)
        let header = try file.withBytes { try SafetensorsHeader(of: $0, path: path) }
        self.library = library
        names = header.entries.map(\.name)
        metadata = header.metadata
        // The header refuses a name that appears twice.
        entries = Dictionary(
            header.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public var location: String { file.path }

    public func contains(_ name: String) -> Bool { entries[name] != nil }

    public func spec(of name: String) throws -> TensorSpec {
        let entry = try entry(named: name)
        return TensorSpec(shape: entry.shape, dtype: try dtype(of: entry))
    }

    public func tensor(named name: String) throws -> Tensor {
        let entry = try entry(named: name)
        return try file.tensor(
            in: entry.range, shape: entry.shape, dtype: dtype(of: entry), in: library)
    }

    private func entry(named name: String) throws -> SafetensorsHeader.Entry {
        guard let entry = entries[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return entry
    }

    private func dtype(of entry: SafetensorsHeader.Entry) throws -> DType {
        guard let dtype = entry.dtype.dtype else {
            throw CheckpointError.unsupportedDType(
                path: location, name: entry.name, dtype: entry.dtype.rawValue)
        }
        return dtype
    }
}
