import Files
import Glibc

/// A file open for reading, on disk or in memory; closed when the last reference goes.
final class InputFile {
    /// The path the file was opened at, or what a file in memory is called, for messages.
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

    /// Opens a file in memory, which must outlive this object; `path` is for messages.
    ///
    /// - Throws: ``ImageFileError/empty(path:)``, or ``ImageFileError/unreadable(path:reason:)``
    ///   where memory runs out.
    init(bytes: UnsafeRawBufferPointer, path: String) throws(ImageFileError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { throw .empty(path: path) }
        // C has no word for a stream that only reads; opened to read, it writes nothing.
        guard let stream = fmemopen(UnsafeMutableRawPointer(mutating: start), bytes.count, "rb")
        else { throw .unreadable(path: path, reason: SystemError.words) }
        self.path = path
        self.byteCount = bytes.count
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
        guard ferror(stream) == 0 else {
            throw .unreadable(path: path, reason: SystemError.words)
        }
        try seek(to: 0)
        return bytes
    }

    /// The next bytes of the file, or nil where there are not so many of them left.
    func next(_ count: Int) -> [UInt8]? {
        // Of what the file says that it holds, only as much as it can hold takes memory.
        guard (0...byteCount).contains(count) else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            initializedCount = fread(buffer.baseAddress, 1, count, stream)
        }
        return bytes.count == count ? bytes : nil
    }

    /// The next byte of the file, or nil at its end.
    func next() -> UInt8? {
        let byte = getc(stream)
        return byte == EOF ? nil : UInt8(truncatingIfNeeded: byte)
    }

    /// Goes to a place in the file, counted in bytes from its start and at most its size.
    ///
    /// - Throws: ``ImageFileError/unreadable(path:reason:)``.
    func seek(to position: Int) throws(ImageFileError) {
        guard fseek(stream, position, SEEK_SET) == 0 else {
            throw .unreadable(path: path, reason: SystemError.words)
        }
    }
}
