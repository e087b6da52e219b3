/// What a file of torch holds: its tensors as the pickle describes them, and where their bytes are.
struct TorchFileContents {
    /// Size in bytes that the pickle of a file may have; real ones have less than one million. What
    /// it builds can take up to a hundred times as much memory.
    static let maximumPickleSize = 10_000_000

    /// By name; a bare tensor under `TorchFile.bareTensorName`.
    let tensors: [String: PickledTensor]
    /// The whole numbers in the outermost dictionary, such as "global_step".
    let integers: [String: Int]
    /// Where a storage's bytes are in the file, by the storage's key.
    let records: [String: Range<Int>]

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - path: what errors name.
    /// - Throws: `CheckpointError.malformed`, `.refused`.
    init(of bytes: UnsafeRawBufferPointer, path: String) throws {
        try Self.checkFormat(of: bytes, path: path)
        let archive = try ZipArchive(of: bytes, path: path)
        let pickle = try Self.pickle(in: archive, path: path)
        let folder = pickle.name.dropLast("data.pkl".count)
        try Self.checkByteOrder(archive, folder: folder, path: path)

        var records: [String: Range<Int>] = [:]
        // Names in ASCII alone (torch numbers its records): of others, two may be equal to Swift that
        // torch tells apart.
        for entry in archive.entries
        where entry.name.hasPrefix(folder + "data/") && entry.name.utf8.allSatisfy({ $0 < 0x80 }) {
            records[String(entry.name.dropFirst(folder.count + "data/".count))] = entry.range
        }
        let output = try PickleMachine.run(
            archive.checkedContents(of: pickle), path: path, recordName: "data.pkl"
        ) { records[$0]?.count }
        tensors = try Self.tensors(in: output, path: path)
        integers = Self.integers(in: output)
        self.records = records
    }

    /// Files that are not in the zip format get an error that says what they are.
    private static func checkFormat(of bytes: UnsafeRawBufferPointer, path: String) throws {
        guard !ZipArchive.isZip(bytes) else { return }
        let tarSignature = 257
        let isTar = bytes.dropFirst(tarSignature).starts(with: "ustar".utf8)
        if bytes.first == PickleOpcode.proto.rawValue || isTar {
            throw CheckpointError.refused(
                path: path, place: "byte 0",
                reason: """
                    It is in the format of torch before 1.6. Save it again in Python: \
                    torch.save(torch.load(path, weights_only=True), path).
                    """)
        }
        let isPointer = bytes.starts(with: "version https://git-lfs".utf8)
        throw CheckpointError.malformed(
            path: path, place: "byte 0",
            reason: isPointer
                ? "It is git-lfs's placeholder; run `git lfs pull` to get the file itself."
                : "It is no file of torch: it does not begin as a zip file.")
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
        _ archive: ZipArchive, folder: Substring, path: String
    ) throws {
        guard let entry = archive.entries.first(where: { $0.name == folder + "byteorder" }) else {
            return
        }
        guard archive.contents(of: entry).elementsEqual("little".utf8) else {
            throw CheckpointError.refused(
                path: path, place: "byteorder",
                reason: "Its numbers are not stored with the lowest byte first.")
        }
    }

    /// The tensors in the outermost dictionary, or in its entry "state_dict", or the one on top.
    static func tensors(
        in output: PickleMachine.Output, path: String
    ) throws -> [String: PickledTensor] {
        let heap = output.heap
        if case .tensor(let index) = output.value {
            return [TorchFile.bareTensorName: heap.tensors[index]]
        }
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
