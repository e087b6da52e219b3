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

    /// - Parameters:
    ///   - path: the index file; the shards stand beside it.
    ///   - library: that the tensors are of.
    /// - Throws: `CheckpointError.cannotOpen`, `.malformed`; `.refused` if a shard is named by more
    ///   than a plain file name.
    public init(path: String, in library: LibTorch) throws {
        location = path
        folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        weightMap = try ShardIndex(contentsOf: path).weightMap
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
}
