import Glibc

/// A file on its way to its name: under a temporary one in the same folder until it is whole.
///
/// What is given up, or left by an error, is removed. What a killed process leaves is found by
/// `isTemporary`.
public final class PendingFile {
    private static let prefix = ".gpi-"
    private static let suffix = ".tmp"

    /// What the file will be called.
    public let path: String
    /// Open for reading and writing.
    public let descriptor: Int32
    private let folder: String
    private let temporary: String
    private var isOpen = true

    /// - Throws: `WriteError` with the path and the system's words.
    public init(path: String) throws {
        self.path = path
        folder = try Self.folder(of: path)
        (temporary, descriptor) = try Self.createTemporary(in: folder, for: path)
    }

    deinit {
        guard isOpen else { return }
        close(descriptor)
        unlink(temporary)
    }

    /// Whether a file's name is one that files have on their way.
    public static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.hasSuffix(suffix)
    }

    /// A name that is most likely not taken.
    static func temporaryName() -> String {
        prefix + String(UInt64.random(in: .min ... .max), radix: 36) + suffix
    }

    /// Forces the bytes to the disk and gives the file its name, in the place of what has it now.
    /// - Throws: `WriteError`; then the file is gone.
    public func commit() throws {
        try finish { rename(temporary, path) }
    }

    /// The same where nothing has the name.
    /// - Returns: false, with the file gone, if something has.
    public func commitAsNew() throws -> Bool {
        do {
            // Unlike a rename, a link does not replace.
            try finish { link(temporary, path) == 0 ? unlink(temporary) : -1 }
            return true
        } catch let error as WriteError {
            guard access(path, F_OK) == 0 else { throw error }
            return false
        }
    }

    private func finish(_ name: () -> Int32) throws {
        isOpen = false
        guard fsync(descriptor) == 0 else {
            let error = failure()
            close(descriptor)
            unlink(temporary)
            throw error
        }
        // Some file systems report a full disk only here.
        guard close(descriptor) == 0 || errno == EINTR, name() == 0 else {
            let error = failure()
            unlink(temporary)
            throw error
        }
        try syncFolder()
    }

    /// An error with the system's words for what has just failed.
    public func failure() -> WriteError { Self.failure(path) }

    // MARK: - Steps

    /// The folder that a path names a file in.
    private static func folder(of path: String) throws -> String {
        guard !path.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw WriteError(
                path: path.debugDescription, reason: "this is not the name of a file")
        }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func createTemporary(
        in folder: String, for path: String
    ) throws -> (path: String, descriptor: Int32) {
        // Not made from the final name, which may be as long as names can be.
        for _ in 0..<100 {
            let temporary = "\(folder)/\(temporaryName())"
            let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return (temporary, descriptor) }
            guard errno == EEXIST else { throw failure(path) }
        }
        throw WriteError(
            path: path, reason: "every temporary name that was tried in \(folder) is taken")
    }

    /// Makes the new name survive a power failure.
    private func syncFolder() throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to but not read cannot be synced. The file is whole anyway.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure()
        }
    }

    private static func failure(_ path: String) -> WriteError {
        WriteError(path: path, reason: SystemError.words)
    }
}
