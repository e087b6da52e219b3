import Files
import Glibc

/// What is where in a study's folder.
///
///     settings.json            every setting, the model's files, versions
///     manifest.jsonl           a row for each picture
///     latents/{name}.pt        float32 [1, C, H / 8, W / 8]
///     pictures/{name}.png      what the latents decode to, if asked for
///     latents.npy, latents.csv all latents in one array, if asked for, and the names of its rows
///     shards/                  manifests of runs that do a part of the pictures, until they are joined
public struct StudyFolder: Sendable {
    public let path: String

    public init(_ path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    public var settings: String { "\(path)/settings.json" }
    public var manifest: String { "\(path)/manifest.jsonl" }
    public var latentsFolder: String { "\(path)/latents" }
    public var picturesFolder: String { "\(path)/pictures" }
    public var stackedLatents: String { "\(path)/latents.npy" }
    public var stackedIndex: String { "\(path)/latents.csv" }
    var shardsFolder: String { "\(path)/shards" }
    var lock: String { "\(path)/.lock" }

    public func latents(_ name: String) -> String { "\(latentsFolder)/\(name).pt" }
    public func picture(_ name: String) -> String { "\(picturesFolder)/\(name).png" }

    func manifest(of shard: Shard) -> String {
        "\(shardsFolder)/manifest-\(shard.number)-of-\(shard.count).jsonl"
    }

    /// The manifests of all shards.
    var shardManifests: [String] {
        FolderContents.names(in: shardsFolder).filter { $0.hasSuffix(".jsonl") }.map {
            "\(shardsFolder)/\($0)"
        }
    }

    /// - Throws: `WriteError`.
    func make(_ folder: String) throws { try PendingFolder.make(folder) }

    /// Makes the folder of a file whose name has "/" in it.
    /// - Throws: `WriteError`.
    func makeFolder(of file: String) throws {
        guard let slash = file.lastIndex(of: "/") else { return }
        let folder = String(file[..<slash])
        guard access(folder, F_OK) != 0 else { return }
        try make(folder)
    }

    /// Removes what killed runs left on its way. Only for who has the folder alone.
    func removeTemporaryFiles() {
        for folder in [path, latentsFolder, picturesFolder] {
            let files =
                folder == path
                ? FolderContents.names(in: folder) : FolderContents.files(under: folder)
            for file in files {
                guard let name = file.split(separator: "/").last,
                    PendingFile.isTemporary(String(name))
                else { continue }
                unlink("\(folder)/\(file)")
            }
        }
    }
}
