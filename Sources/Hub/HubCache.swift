import Files
import Glibc

/// One model's place in the cache, laid out as the huggingface_hub library does:
///
///     models--owner--name/blobs/<etag>                    contents
///     models--owner--name/refs/<branch or tag>            the commit it stood for last
///     models--owner--name/snapshots/<commit>/vae/…        links to blobs
///     models--owner--name/trees/<commit>.json             all files of a commit
///     .locks/models--owner--name/<etag>.lock              held by who fetches that blob
///
/// A name under `blobs` stands for the whole contents, one under `snapshots` for the right one.
struct HubCache {
    let folder: String
    private let repository: String

    init(folder: String, id: ModelID) {
        self.folder = folder
        repository =
            "models--"
            + id.description.split(separator: "/").joined(separator: "--")
    }

    private var storage: String { "\(folder)/\(repository)" }
    var blobs: String { "\(storage)/blobs" }
    func snapshot(of commit: String) -> String { "\(storage)/snapshots/\(commit)" }
    func blob(_ etag: String) -> String { "\(blobs)/\(etag)" }
    func lock(of etag: String) -> String { "\(folder)/.locks/\(repository)/\(etag).lock" }
    private func reference(_ revision: Revision) -> String { "\(storage)/refs/\(revision)" }

    // MARK: - What is there

    /// The commit that a revision stood for when it was last asked for.
    func commit(of revision: Revision) -> String? {
        if revision.isCommit { return revision.description }
        guard let bytes = try? FileSystem.contents(of: reference(revision), limit: 1000) else {
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        return Revision.isCommit(text) ? text : nil
    }

    func has(_ file: String, of commit: String) -> Bool {
        FileSystem.size(of: "\(snapshot(of: commit))/\(file)") != nil
    }

    /// Names of all files of a commit: as the huggingface_hub library has noted them, else those
    /// that are here.
    func files(of commit: String) -> [String] {
        (try? TreeListing(contentsOf: "\(storage)/trees/\(commit).json"))?.files
            ?? FileSystem.files(under: snapshot(of: commit))
    }

    // MARK: - What is added

    /// Notes which commit a revision stands for. A cache that cannot be written to serves as it is.
    func note(_ revision: Revision, is commit: String) {
        guard !revision.isCommit, self.commit(of: revision) != commit else { return }
        let path = reference(revision)
        guard let slash = path.lastIndex(of: "/") else { return }
        try? FileSystem.makeFolder(String(path[..<slash]))
        try? AtomicFile.write(commit.utf8, to: path)
    }

    /// Tells programs that make backups that this can be fetched again (the CACHEDIR.TAG standard).
    func tagFolder() {
        let path = "\(folder)/CACHEDIR.TAG"
        guard FileSystem.size(of: path) == nil else { return }
        try? AtomicFile.write(
            """
            Signature: 8a477f597d28d172789f06886806bc55
            # This folder is a cache of models from the Hugging Face Hub.

            """.utf8, to: path)
    }

    /// Makes a file of a snapshot stand for a blob that is there.
    /// - Throws: `HubError.cannotWrite`, `.noSpace`.
    func link(_ file: String, of commit: String, to etag: String) throws {
        let path = "\(snapshot(of: commit))/\(file)"
        guard let slash = path.lastIndex(of: "/") else { return }
        let folder = String(path[..<slash])
        try FileSystem.makeFolder(folder)
        // From the file's folder to that of the model, so that the cache can be moved.
        let levels = 2 + file.utf8.count { $0 == UInt8(ascii: "/") }
        let target = String(repeating: "../", count: levels) + "blobs/\(etag)"

        // In one step also where a link stands that leads nowhere.
        let number = String(UInt64.random(in: .min ... .max), radix: 36)
        let temporary = "\(folder)/.gpi-\(number).tmp"
        guard symlink(target, temporary) == 0 else {
            // A file system without links: the blob itself is the file, as the other library does.
            guard [EPERM, ENOTSUP, ENOSYS].contains(errno), rename(blob(etag), path) == 0 else {
                throw FileSystem.failure(path)
            }
            return
        }
        guard rename(temporary, path) == 0 else {
            let error = FileSystem.failure(path)
            unlink(temporary)
            throw error
        }
        FileSystem.syncFolder(folder)
    }
}
