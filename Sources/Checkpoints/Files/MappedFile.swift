import Files
import Glibc
import Torch

/// A regular file in memory, read-only, its pages read by the system as they are touched.
///
/// Whoever shortens a file while it is mapped ends this process (SIGBUS), as with every mapping.
/// Files that are replaced by renaming, as `AtomicFile` and the hub's cache do, stay whole.
///
/// `@unchecked Sendable`: nothing changes between `init` and `deinit`.
public final class MappedFile: FileMemory, @unchecked Sendable {
    public let path: String
    private let bytes: UnsafeRawBufferPointer

    /// Size in bytes; at least 1.
    public var count: Int { bytes.count }

    /// - Throws: `CheckpointError.cannotOpen` if the file is missing, no regular file, unreadable
    ///   or empty.
    public init(path: String) throws {
        // The C library would see a shorter path, and perhaps open another file.
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw CheckpointError.cannotOpen(
                path: quoted(path), reason: "this is not the name of a file.")
        }
        // Without O_NONBLOCK opening a pipe would wait for its writer; files do not mind.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CheckpointError.cannotOpen(path: path, reason: SystemError.words)
        }
        defer { close(descriptor) }
        let size = try Self.size(of: descriptor, path: path)
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
            start != MAP_FAILED
        else {
            throw CheckpointError.cannotOpen(
                path: path, reason: "it cannot be mapped into memory: \(SystemError.words)")
        }
        self.path = path
        self.bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }

    /// Lends the bytes of `range` to `body`. They stay where they are as long as this object lives.
    /// - Throws: `CheckpointError.malformed` if the file is shorter.
    public func withBytes<Result>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw CheckpointError.malformed(
                path: path, place: "byte \(range.lowerBound)",
                reason: "The file ends at byte \(count), where byte \(range.upperBound) is needed.")
        }
        return try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// Lends all bytes to `body`.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(bytes) }
    }

    private static func size(of descriptor: Int32, path: String) throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError.cannotOpen(path: path, reason: SystemError.words)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            break
        case S_IFDIR:
            throw CheckpointError.cannotOpen(path: path, reason: "it is a folder, not a file.")
        default:
            throw CheckpointError.cannotOpen(path: path, reason: "it is not a regular file.")
        }
        guard let size = Int(exactly: status.st_size), size > 0 else {
            throw CheckpointError.cannotOpen(
                path: path, reason: "the file is empty. Fetch it again.")
        }
        return size
    }
}
