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
    /// Size in bytes that the pickle of a file may have; real ones have less than one million. What
    /// it builds can take some fifty times as much memory.
    static let maximumPickleSize = 10_000_000

    private let file: MappedFile
    private let library: LibTorch
    private let tensors: [String: PickledTensor]
    /// Where a storage's bytes are in the file, by the storage's key.
    private let records: [String: Range<Int>]

    public let names: [String]
    /// The whole numbers in the outermost dictionary, such as "global_step".
    public let integers: [String: Int]

    /// - Throws: `CheckpointError.cannotOpen`, `.malformed`, `.refused`.
    public init(path: String, in library: LibTorch) throws {
        let file = try MappedFile(path: path)
        try Self.checkFormat(of: file)
        let archive = try ZipArchive(of: file)
        let pickle = try Self.pickle(in: archive, path: path)
        let folder = pickle.name.dropLast("data.pkl".count)
        try Self.checkByteOrder(archive, folder: folder, of: file)

        var records: [String: Range<Int>] = [:]
        for entry in archive.entries where entry.name.hasPrefix(folder + "data/") {
            records[String(entry.name.dropFirst(folder.count + "data/".count))] = entry.range
        }
        let output = try file.withBytes(in: pickle.range) { bytes in
            try archive.check(pickle, bytes: bytes)
            return try PickleMachine.run(bytes, path: path, recordName: "data.pkl") {
                records[$0]?.count
            }
        }
        tensors = try Self.tensors(in: output, path: path)
        integers = Self.integers(in: output)
        names = tensors.keys.sorted()
        self.records = records
        self.file = file
        self.library = library
    }

    public var location: String { file.path }

    public func contains(_ name: String) -> Bool { tensors[name] != nil }

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
        guard let record = records[tensor.storage.key],
            let skipped = TensorGeometry.product([tensor.offset, dtype.byteCount]),
            skipped <= record.count
        else { throw CheckpointError.missingTensor(path: location, name: name) }
        return try file.tensor(
            in: record.lowerBound + skipped..<record.upperBound, shape: tensor.shape,
            strides: tensor.strides, dtype: dtype, in: library)
    }

    private func pickledTensor(_ name: String) throws -> PickledTensor {
        guard let tensor = tensors[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return tensor
    }
}

// MARK: - Opening

extension TorchFile {
    /// Files that are not in the zip format get an error that says what they are.
    private static func checkFormat(of file: MappedFile) throws {
        try file.withBytes { bytes in
            guard !ZipArchive.isZip(bytes) else { return }
            let tarSignature = 257
            let isTar = bytes.dropFirst(tarSignature).starts(with: "ustar".utf8)
            if bytes.first == PickleOpcode.proto.rawValue || isTar {
                throw CheckpointError.refused(
                    path: file.path, place: "byte 0",
                    reason: """
                        It is in the format of torch before 1.6. Save it again in Python: \
                        torch.save(torch.load(path, weights_only=True), path).
                        """)
            }
            let isPointer = bytes.starts(with: "version https://git-lfs".utf8)
            throw CheckpointError.malformed(
                path: file.path, place: "byte 0",
                reason: isPointer
                    ? "It is git-lfs's placeholder; run `git lfs pull` to get the file itself."
                    : "It is no file of torch: it does not begin as a zip file.")
        }
    }

    private static func pickle(in archive: ZipArchive, path: String) throws -> ZipArchive.Entry {
        let pickles = archive.entries.filter { entry in
            let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.last == "data.pkl"
        }
        guard let pickle = pickles.first, pickles.count == 1 else {
            throw CheckpointError.malformed(
                path: path, place: "its directory",
                reason: "It holds \(pickles.count) entries <name>/data.pkl, where torch writes one."
            )
        }
        let folder = pickle.name.dropLast("data.pkl".count)
        guard !archive.entries.contains(where: { $0.name == folder + "constants.pkl" }) else {
            throw CheckpointError.refused(
                path: path, place: "constants.pkl", reason: "It is a TorchScript program.")
        }
        guard pickle.range.count <= maximumPickleSize else {
            throw CheckpointError.refused(
                path: path, place: "data.pkl",
                reason: "It has \(pickle.range.count) bytes; \(maximumPickleSize) are allowed.")
        }
        return pickle
    }

    /// Files of torch before 2.1 do not tell; those are taken as little-endian, as torch does.
    private static func checkByteOrder(
        _ archive: ZipArchive, folder: Substring, of file: MappedFile
    ) throws {
        guard let entry = archive.entries.first(where: { $0.name == folder + "byteorder" }) else {
            return
        }
        try file.withBytes(in: entry.range) { bytes in
            guard bytes.elementsEqual("little".utf8) else {
                throw CheckpointError.refused(
                    path: file.path, place: "byteorder",
                    reason: "Its numbers are not stored with the lowest byte first.")
            }
        }
    }

    private static func tensors(
        in output: PickleMachine.Output, path: String
    ) throws -> [String: PickledTensor] {
        let heap = output.heap
        if case .tensor(let index) = output.value { return [bareTensorName: heap.tensors[index]] }
        guard case .dictionary(let outermost) = output.value else {
            throw CheckpointError.refused(
                path: path, place: "data.pkl",
                reason: "It holds \(output.value.kind), where a dictionary of tensors is expected.")
        }
        var items = heap.dictionaries[outermost]
        for case (.string("state_dict"), .dictionary(let inner)) in items {
            items = heap.dictionaries[inner]
        }
        var tensors: [String: PickledTensor] = [:]
        for case (.string(let name), .tensor(let index)) in items {
            guard tensors.updateValue(heap.tensors[index], forKey: name) == nil else {
                throw CheckpointError.malformed(
                    path: path, place: "data.pkl", reason: "The name \(quoted(name)) appears twice."
                )
            }
        }
        return tensors
    }

    /// Of a name that appears twice the last number, as in Python.
    private static func integers(in output: PickleMachine.Output) -> [String: Int] {
        guard case .dictionary(let outermost) = output.value else { return [:] }
        var integers: [String: Int] = [:]
        for case (.string(let name), .int(let number)) in output.heap.dictionaries[outermost] {
            integers[name] = number
        }
        return integers
    }
}
