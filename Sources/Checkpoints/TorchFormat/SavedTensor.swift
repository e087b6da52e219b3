import Torch

/// A file that holds one tensor, as `TorchFileWriter` writes it, read without libtorch: every checksum
/// is compared, so that what is given is what was written.
public struct SavedTensor {
    /// The name of the note's entry in the archive.
    static let noteName = "gpi_pack"

    public let shape: [Int]
    public let dtype: DType
    /// The text that came with the tensor.
    public let note: String?
    /// In row-major order.
    public let elements: [UInt8]

    /// - Throws: `CheckpointError` if there is no such file, or it is not as it was written: shorter,
    ///   changed, or of another program with a tensor that is no contiguous one.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        self = try file.withBytes(in: 0..<file.count) { try SavedTensor($0, path: path) }
    }

    private init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
        let contents = try TorchFileContents(of: bytes, path: path)
        let archive = try ZipArchive(of: bytes, path: path)
        guard let tensor = contents.tensors[TorchFile.bareTensorName],
            let record = contents.records[tensor.storage.key],
            tensor.offset == 0,
            let count = TensorGeometry.elementCount(of: tensor.shape),
            count * tensor.storage.dtype.byteCount == record.count,
            tensor.strides == Tensor.contiguousStrides(of: tensor.shape)
        else {
            throw CheckpointError.malformed(
                path: path, place: "data.pkl", reason: "It is not one tensor in row-major order.")
        }
        for entry in archive.entries { _ = try archive.checkedContents(of: entry) }
        shape = tensor.shape
        dtype = tensor.storage.dtype
        elements = Array(bytes[record])
        note = archive.entries.first { $0.name.hasSuffix("/\(Self.noteName)") }
            .map { String(decoding: archive.contents(of: $0), as: UTF8.self) }
    }
}
