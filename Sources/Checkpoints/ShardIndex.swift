/// The index of a checkpoint in several files (`….index.json`): which tensor is in which file.
struct ShardIndex {
    private static let maximumSize = 100_000_000

    /// The name of a file beside the index, by the name of a tensor.
    let weightMap: [String: String]

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - path: what errors name.
    /// - Throws: `CheckpointError.malformed`; `.refused` if a shard is named by more than a plain
    ///   file name.
    init(of bytes: UnsafeRawBufferPointer, path: String) throws {
        guard bytes.count <= Self.maximumSize else {
            throw CheckpointError.malformed(
                path: path, place: "its size",
                reason: """
                    \(bytes.count) bytes are too many for an index; \(Self.maximumSize) are allowed.
                    """)
        }
        var reader = JSONReader(bytes, path: path)
        var weightMap: [String: String]?
        try reader.object { reader, key in
            guard key == "weight_map" else { return try reader.skipValue() }
            var map: [String: String] = [:]
            try reader.object { reader, name in
                let fileName = try reader.string()
                guard Self.isPlainFileName(fileName) else {
                    throw CheckpointError.refused(
                        path: path, place: "weight_map, tensor \(quoted(name))",
                        reason: """
                            \(quoted(fileName)) is not the plain name of a file beside the index.
                            """)
                }
                map[name] = fileName
            }
            weightMap = map
        }
        try reader.end()
        guard let weightMap else {
            throw CheckpointError.malformed(
                path: path, place: "the index", reason: "It has no \"weight_map\".")
        }
        self.weightMap = weightMap
    }

    /// - Throws: `CheckpointError.cannotOpen`, or as of its bytes.
    init(contentsOf path: String) throws {
        self = try MappedFile(path: path).withBytes { try ShardIndex(of: $0, path: path) }
    }

    /// Whether a name stays in the folder, on Windows as well, where `\` separates.
    private static func isPlainFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && !name.utf8.contains {
                $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0
            }
    }
}
