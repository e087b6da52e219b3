import Checkpoints
import Files
import FoundationEssentials
import Glibc
import Pipelines

/// Which model a study is made with: its files, by what is in them, so that it may be moved.
public struct ModelIdentity: Codable, Equatable, Sendable {
    /// The folder or id that was asked for.
    public var name: String
    /// The commit, if it is a snapshot in the hub's cache.
    public var revision: String?
    /// SHA-256 of each file that is read, by its path in the model.
    public var files: [String: String]

    /// Reads all files of the parts that are used; a large model takes seconds.
    ///
    /// - Parameters:
    ///   - name: what was asked for.
    ///   - folders: where the parts are.
    ///   - usesDenoising: whether the text encoder, the UNet and the scheduler are used too.
    /// - Throws: `ReadError`, `CheckpointError` if a part is not there.
    public init(name: String, folders: ComponentFolders, usesDenoising: Bool) throws {
        self.name = name
        revision = Self.revision(of: folders.autoencoder)
        var paths = try Self.files(of: folders.autoencoder)
        if usesDenoising {
            for part in [folders.textEncoder, folders.unet] { paths += try Self.files(of: part) }
            paths += Self.allFiles(of: folders.tokenizer) + Self.allFiles(of: folders.scheduler)
        }
        files = [:]
        // A single file has all parts; its own name may change, as a folder's may.
        for path in Set(paths) {
            files[path == folders.autoencoder ? "checkpoint" : Self.shortName(path)] =
                try Self.digest(of: path)
        }
    }

    /// The configuration and weights of a part; a single file as it is.
    private static func files(of part: String) throws -> [String] {
        guard ComponentFolders.isFolder(part) else { return [part] }
        return ["\(part)/config.json"] + (try ComponentFolder.files(of: part))
    }

    private static func allFiles(of part: String) -> [String] {
        guard ComponentFolders.isFolder(part) else { return [part] }
        return FolderContents.names(in: part).map { "\(part)/\($0)" }
            .filter { !ComponentFolders.isFolder($0) }
    }

    /// "vae/config.json"
    private static func shortName(_ path: String) -> String {
        path.split(separator: "/").suffix(2).joined(separator: "/")
    }

    /// The hub's cache calls large files by their digests, which it has compared.
    private static func digest(of path: String) throws -> String {
        if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path),
            let name = link.split(separator: "/").last, SHA256.isDigest(String(name))
        {
            return String(name)
        }
        return try SHA256.hexDigest(ofFile: path)
    }

    /// The commit in a path ".../snapshots/<commit>/vae".
    private static func revision(of part: String) -> String? {
        let parts = part.split(separator: "/")
        guard let index = parts.lastIndex(of: "snapshots"), index + 1 < parts.count else {
            return nil
        }
        let commit = String(parts[index + 1])
        return commit.utf8.count == 40 && commit.utf8.allSatisfy(SHA256.isHexadecimal)
            ? commit : nil
    }
}
