import Torch

/// A file that `torch.save` wrote (`.bin`, `.ckpt`, `.pt`): a zip file with a pickle and the
/// tensors' bytes. Tensors are views of the file, which is mapped into memory.
///
/// The pickle is run at once, under the policy of `PicklePolicy.swift`; it can build tensors and
/// plain values, and nothing else. Of what it builds, the tensors in the outermost dictionary
/// count, or in its entry "state_dict" if it has one. Of other values the outermost whole numbers are
/// kept; the rest is ignored.
public final class TorchFile: TensorSource {
    /// The name of the tensor in a file that holds one bare tensor.
    public static let bareTensorName = ""

    private let file: MappedFile
    private let library: LibTorch
    private let contents: TorchFileContents

    public let names: [String]
    /// The whole numbers in the outermost dictionary, such as "global_step".
    public var integers: [String: Int] { contents.integers }

    /// - Throws: `CheckpointError.cannotOpen`, `.malformed`, `.refused`.
    public init(path: String, in library: LibTorch) throws {
        file = try MappedFile(path: path)
        contents = try file.withBytes { try TorchFileContents(of: $0, path: path) }
        names = contents.tensors.keys.sorted()
        self.library = library
    }

    public var location: String { file.path }

    public func contains(_ name: String) -> Bool { contents.tensors[name] != nil }

    public func spec(of name: String) throws -> TensorSpec {
        let tensor = try pickledTensor(name)
        return TensorSpec(shape: tensor.shape, dtype: tensor.storage.dtype)
    }

    /// The strides are the stored ones; tensors of one storage share memory.
    public func tensor(named name: String) throws -> Tensor {
        let tensor = try pickledTensor(name)
        let dtype = tensor.storage.dtype
        // The machine has checked that the tensor lies within its storage, and that within its
        // record.
        guard let record = contents.records[tensor.storage.key],
            let skipped = TensorGeometry.product([tensor.offset, dtype.byteCount]),
            skipped <= record.count
        else { throw CheckpointError.missingTensor(path: location, name: name) }
        return try file.tensor(
            in: record.lowerBound + skipped..<record.upperBound, shape: tensor.shape,
            strides: tensor.strides, dtype: dtype, in: library)
    }

    private func pickledTensor(_ name: String) throws -> PickledTensor {
        guard let tensor = contents.tensors[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return tensor
    }
}
