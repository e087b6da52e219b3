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
    private let file: PendingFile

    /// Writes `path` with what `body` writes to the file that it gets.
    ///
    /// - Throws: `WriteError` with the path and the system's words, or what `body` throws.
    public static func write<Result>(
        to path: String, _ body: (borrowing AtomicFile) throws -> Result
    ) throws -> Result {
        let file = AtomicFile(file: try PendingFile(path: path))
        let result = try body(file)
        try file.file.commit()
        return result
    }

    /// Writes a whole file.
    public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        try write(to: path) { file in
            try Array(bytes).withUnsafeBytes { try file.append($0) }
        }
    }

    /// Writes a whole file where there is none of that name.
    /// - Returns: whether there was none.
    public static func writeNew(_ bytes: some Sequence<UInt8>, to path: String) throws -> Bool {
        let file = AtomicFile(file: try PendingFile(path: path))
        try Array(bytes).withUnsafeBytes { try file.append($0) }
        return try file.file.commitAsNew()
    }

    /// Adds bytes at the end.
    /// - Throws: `WriteError`, if the disk is full for example.
    public borrowing func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            let written = Glibc.write(file.descriptor, piece.baseAddress, piece.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw file.failure() }
            rest = rest.dropFirst(written)
        }
    }

    /// Gives `body` the file as a stream of C, for libraries that write to one.
    /// - Throws: `WriteError`, or what `body` throws.
    public borrowing func withStream(_ body: (UnsafeMutablePointer<FILE>) throws -> Void) throws {
        let copy = dup(file.descriptor)
        guard copy >= 0 else { throw file.failure() }
        guard let stream = fdopen(copy, "wb") else {
            let error = file.failure()
            close(copy)
            throw error
        }
        do {
            try body(stream)
        } catch {
            fclose(stream)
            throw error
        }
        guard fclose(stream) == 0 else { throw file.failure() }
    }
}
