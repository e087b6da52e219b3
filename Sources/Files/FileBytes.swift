import Glibc

/// A file that could not be read.
public struct ReadError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String
    /// Whether there is no such file.
    public let isMissing: Bool

    public var description: String { "\(path): cannot be read: \(reason)" }

    /// With the system's words for what has just failed.
    static func now(_ path: String) -> ReadError {
        ReadError(path: path, reason: SystemError.words, isMissing: errno == ENOENT)
    }
}

/// The bytes of a file, copied: unlike a mapped one it may be changed meanwhile without harm to the
/// process.
public enum FileBytes {
    /// - Parameters:
    ///   - path: the file's.
    ///   - limit: the most bytes that it may have.
    /// - Throws: `ReadError` if it is missing, no regular file, larger, or cannot be read.
    public static func of(_ path: String, limit: Int = .max) throws -> [UInt8] {
        guard !path.utf8.contains(0) else {
            throw ReadError(
                path: path.debugDescription, reason: "this is not the name of a file",
                isMissing: true)
        }
        // Without O_NONBLOCK opening a pipe would wait for its writer; files do not mind.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ReadError.now(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ReadError.now(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ReadError(path: path, reason: "it is no regular file", isMissing: false)
        }
        guard status.st_size <= limit else {
            throw ReadError(
                path: path, reason: "over \(limit) bytes are too many for such a file",
                isMissing: false)
        }

        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let new = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            if new < 0 && errno == EINTR { continue }
            guard new >= 0 else { throw ReadError.now(path) }
            // Shortened meanwhile.
            guard new > 0 else { break }
            count += new
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
