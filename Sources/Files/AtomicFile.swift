import Glibc

/// Writes a file so that its name never stands for half of it.
///
/// The bytes go to a temporary name in the same folder, are forced to the disk, and take the final
/// name in one step. After any failure the temporary file is gone and what stood under the final
/// name before still stands there.
///
/// Past a limit on the size of files (`ulimit -f`) the system sends SIGXFSZ, which ends a process
/// that does not ignore it. Signals are the program's, so this does not touch them; where the
/// signal is ignored, the limit is an error as any other (Python ignores it).
public struct AtomicFile: ~Copyable {
    private let path: String
    private let descriptor: Int32

    /// Writes `path` with what `body` writes to the file that it gets.
    ///
    /// - Throws: `WriteError` with the path and the system's words, or what `body` throws.
    public static func write<Result>(
        to path: String, _ body: (borrowing AtomicFile) throws -> Result
    ) throws -> Result {
        let folder = try folder(of: path)
        let (temporary, descriptor) = try createTemporary(in: folder, for: path)
        do {
            let result = try fill(descriptor, for: path, body)
            guard rename(temporary, path) == 0 else { throw failure(path) }
            try syncFolder(folder, for: path)
            return result
        } catch {
            // After the rename there is nothing under this name, and this does nothing.
            unlink(temporary)
            throw error
        }
    }

    /// Writes a whole file.
    public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        try write(to: path) { file in
            try Array(bytes).withUnsafeBytes { try file.append($0) }
        }
    }

    /// Adds bytes at the end.
    /// - Throws: `WriteError`, if the disk is full for example.
    public borrowing func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            let written = Glibc.write(descriptor, piece.baseAddress, piece.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Self.failure(path) }
            rest = rest.dropFirst(written)
        }
    }

    /// Gives `body` the file as a stream of C, for libraries that write to one.
    /// - Throws: `WriteError`, or what `body` throws.
    public borrowing func withStream(_ body: (UnsafeMutablePointer<FILE>) throws -> Void) throws {
        let copy = dup(descriptor)
        guard copy >= 0 else { throw Self.failure(path) }
        guard let stream = fdopen(copy, "wb") else {
            let error = Self.failure(path)
            close(copy)
            throw error
        }
        do {
            try body(stream)
        } catch {
            fclose(stream)
            throw error
        }
        guard fclose(stream) == 0 else { throw Self.failure(path) }
    }

    // MARK: - Steps

    private static func fill<Result>(
        _ descriptor: Int32, for path: String, _ body: (borrowing AtomicFile) throws -> Result
    ) throws -> Result {
        let file = AtomicFile(path: path, descriptor: descriptor)
        let result: Result
        do {
            result = try body(file)
            guard fsync(descriptor) == 0 else { throw failure(path) }
        } catch {
            close(descriptor)
            throw error
        }
        // Some file systems report a full disk only here.
        guard close(descriptor) == 0 || errno == EINTR else { throw failure(path) }
        return result
    }

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
            let number = String(UInt64.random(in: .min ... .max), radix: 36)
            let temporary = "\(folder)/.gpi-\(number).tmp"
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return (temporary, descriptor) }
            guard errno == EEXIST else { throw failure(path) }
        }
        throw WriteError(
            path: path, reason: "every temporary name that was tried in \(folder) is taken")
    }

    /// Makes the new name survive a power failure.
    private static func syncFolder(_ folder: String, for path: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to but not read cannot be synced. The file is whole anyway.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure(path)
        }
    }

    private static func failure(_ path: String) -> WriteError {
        WriteError(path: path, reason: SystemError.words)
    }
}
