import Files
import Glibc

/// A regular file open for reading; closed when the last reference goes.
final class InputFile {
    /// The path the file was opened at, for messages.
    let path: String
    /// The size of the file in bytes, at least 1.
    let byteCount: Int
    /// The C stream, positioned at the start of the file.
    let stream: UnsafeMutablePointer<FILE>

    /// Opens the file at `path`.
    ///
    /// - Throws: ``ImageFileError/unreadable(path:reason:)``,
    ///   ``ImageFileError/notAFile(path:)``, ``ImageFileError/empty(path:)``.
    init(path: String) throws(ImageFileError) {
        // C would stop at the zero byte and open another file than the one named.
        guard !path.utf8.contains(0) else {
            throw .unreadable(path: path, reason: "the path holds a zero byte")
        }
        // Asked before opening, since opening a named pipe would wait for a writer.
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .unreadable(path: path, reason: SystemError.words)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        guard status.st_size > 0 else { throw .empty(path: path) }
        guard let stream = fopen(path, "rbe") else {
            throw .unreadable(path: path, reason: SystemError.words)
        }
        self.path = path
        self.byteCount = Int(status.st_size)
        self.stream = stream
    }

    deinit { fclose(stream) }

    /// The first bytes of the file, at most `count`; the stream is back at its start.
    ///
    /// - Throws: ``ImageFileError/unreadable(path:reason:)``.
    func firstBytes(_ count: Int) throws(ImageFileError) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            initializedCount = fread(buffer.baseAddress, 1, count, stream)
        }
        guard ferror(stream) == 0, fseek(stream, 0, SEEK_SET) == 0 else {
            throw .unreadable(path: path, reason: SystemError.words)
        }
        return bytes
    }
}
