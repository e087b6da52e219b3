import CFiles
import Glibc

/// Something that is already where a folder is to be written.
public struct OccupiedPath: Error, Equatable, CustomStringConvertible {
    public let path: String

    public init(path: String) {
        self.path = path
    }

    public var description: String {
        "\(path) is there already and is no empty folder. Name another folder, or have this one replaced."
    }
}

/// Writes a folder so that its name never stands for half of it.
///
/// The files go to a folder with a temporary name beside it, which takes the final name in one step.
/// After any failure the temporary one is gone, and what stood under the final name before still
/// stands there. What a killed process leaves is found by `PendingFile.isTemporary`.
public enum PendingFolder {
    /// Writes a folder with what `body` puts into the one that it gets; folders above it are made.
    ///
    /// - Parameters:
    ///   - path: what the folder will be called.
    ///   - replacing: whether a folder that is already there is replaced, with all that is in it. An empty
    ///     one always is.
    ///   - body: writes the files, whole and forced to the disk, as `AtomicFile` does.
    /// - Throws: `OccupiedPath`, before `body` is called; `WriteError` with the path and the system's
    ///   words, or what `body` throws.
    public static func write(
        to path: String, replacing: Bool = false, _ body: (_ folder: String) throws -> Void
    ) throws {
        let path = try plain(path)
        let parent = self.parent(of: path)
        try make(parent)
        try checkVacant(path, replacing: replacing)
        let temporary = try makeTemporary(in: parent, for: path)
        do {
            try body(temporary)
            try sync(temporary)
            try rename(temporary, to: path, replacing: replacing)
        } catch {
            remove(temporary)
            throw error
        }
        // Of a folder that was replaced.
        remove(temporary)
        try sync(parent)
    }

    /// Makes a folder and those above it, where they are not there yet.
    /// - Throws: `WriteError`.
    public static func make(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || isFolder(path) { return }
        guard errno == ENOENT, path.contains("/"), path != "/" else { throw failure(path) }
        try make(parent(of: path))
        guard mkdir(path, 0o777) == 0 || isFolder(path) else { throw failure(path) }
    }

    // MARK: - Steps

    /// Without slashes at the end.
    private static func plain(_ path: String) throws -> String {
        var path = path[...]
        while path.hasSuffix("/") { path.removeLast() }
        let last = path.split(separator: "/").last
        guard let last, last != ".", last != "..", !path.utf8.contains(0) else {
            throw WriteError(
                path: path.debugDescription, reason: "this is not the name of a new folder")
        }
        return String(path)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func checkVacant(_ path: String, replacing: Bool) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        guard isFolder, replacing || FolderContents.names(in: path).isEmpty else {
            throw OccupiedPath(path: path)
        }
    }

    private static func makeTemporary(in parent: String, for path: String) throws -> String {
        for _ in 0..<100 {
            let temporary = "\(parent)/\(PendingFile.temporaryName())"
            if mkdir(temporary, 0o777) == 0 { return temporary }
            guard errno == EEXIST else { throw failure(path) }
        }
        throw WriteError(
            path: path, reason: "every temporary name that was tried in \(parent) is taken")
    }

    private static func rename(_ temporary: String, to path: String, replacing: Bool) throws {
        // In the place of an empty folder, too.
        if Glibc.rename(temporary, path) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else {
            throw errno == ENOTDIR ? OccupiedPath(path: path) : failure(path)
        }
        guard replacing else { throw OccupiedPath(path: path) }
        // Both in one step; what was there is then under the temporary name.
        if gpi_exchange(temporary, path) == 0 { return }
        // Not every file system can; then for a moment neither is there.
        let old = "\(temporary).old"
        guard Glibc.rename(path, old) == 0 else { throw failure(path) }
        guard Glibc.rename(temporary, path) == 0 else {
            let error = failure(path)
            _ = Glibc.rename(old, path)
            throw error
        }
        remove(old)
    }

    /// Removes a folder with all that is in it; follows no links. What cannot be removed stays.
    public static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in FolderContents.names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }

    private static func sync(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // One that may be written to but not read cannot be synced. The files are whole anyway.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure(folder)
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        let code = errno
        defer { errno = code }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func failure(_ path: String) -> WriteError {
        WriteError(path: path, reason: SystemError.words)
    }
}
