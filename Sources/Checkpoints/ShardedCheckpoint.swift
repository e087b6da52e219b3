import Torch

/// A checkpoint cut into several files, with an index (`….index.json`) that tells which tensor is
/// in which file.
///
/// A file is opened when the first of its tensors is asked for.
public final class ShardedCheckpoint: TensorSource {
    public let location: String
    public let names: [String]
    private let folder: String
    private let weightMap: [String: String]
    private let library: LibTorch
    private var opened: [String: any TensorSource] = [:]

    /// - Parameter path: the index file; the shards stand beside it.
    /// - Throws: `CheckpointError.cannotOpen`, `.malformed`; `.refused` if a shard is named by more
    ///   than a plain file name.
    public init(path: String, in library: LibTorch) throws {
        location = path
        folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        weightMap = try Self.readIndex(path)
        names = weightMap.keys.sorted()
        self.library = library
    }

    public func contains(_ name: String) -> Bool { weightMap[name] != nil }

    public func spec(of name: String) throws -> TensorSpec {
        try shard(of: name).spec(of: name)
    }

    public func tensor(named name: String) throws -> Tensor {
        try shard(of: name).tensor(named: name)
    }

    public func tensor(named name: String, shape: [Int]) throws -> Tensor {
        // The shard's own check names the shard, which is nearer to the fault than the index.
        try shard(of: name).tensor(named: name, shape: shape)
    }

    private func shard(of name: String) throws -> any TensorSource {
        guard let fileName = weightMap[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        if let shard = opened[fileName] { return shard }
        let path = folder + fileName
        let shard: any TensorSource =
            fileName.hasSuffix(".safetensors")
            ? try SafetensorsFile(path: path, in: library) : try TorchFile(path: path, in: library)
        opened[fileName] = shard
        return shard
    }

    // MARK: - The index

    private static let maximumIndexSize = 100_000_000

    private static func readIndex(_ path: String) throws -> [String: String] {
        let file = try MappedFile(path: path)
        guard file.count <= maximumIndexSize else {
            throw CheckpointError.malformed(
                path: path, place: "its size",
                reason:
                    "\(file.count) bytes are too many for an index; \(maximumIndexSize) are allowed."
            )
        }
        return try file.withBytes { bytes in
            var reader = JSONReader(bytes, path: path)
            var weightMap: [String: String]?
            try reader.object { reader, key in
                guard key == "weight_map" else { return try reader.skipValue() }
                var map: [String: String] = [:]
                try reader.object { reader, name in
                    let fileName = try reader.string()
                    guard isPlainFileName(fileName) else {
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
            return weightMap
        }
    }

    /// Whether a name stays in the folder, on Windows as well, where `\` separates.
    private static func isPlainFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && !name.utf8.contains {
                $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0
            }
    }
}
