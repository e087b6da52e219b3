import Files
import Glibc

/// A blob on its way, under a name of its own in the folder of blobs, from which it takes its final
/// name in one step when it is whole.
///
/// Not an `AtomicFile`, for what has arrived must outlive a failure: the next run goes on from there.
/// But only where a hash will prove the whole; the huggingface_hub library's own partial files may
/// have holes and are left alone.
final class PartialBlob {
    /// Another process has taken this up, or removed it: one that held the same lock, on a file system
    /// whose locks hold nobody off.
    struct Taken: Error {}

    private var path: String
    private var descriptor: Int32
    private let etag: String
    private let folder: String
    /// Bytes so far.
    private(set) var count = 0
    private var hash: SHA256?

    /// Whether bytes that came by two answers may be put together: only where a hash proves them to
    /// be of one file.
    var isResumable: Bool { hash != nil && count > 0 }

    /// - Parameters:
    ///   - mayAdopt: takes up what an earlier run left. For who holds the blob's lock.
    ///   - whileReading: called now and then while what is there is hashed; may throw to give up.
    /// - Throws: `HubError.cannotWrite`, `.noSpace`, or what `whileReading` throws.
    init(
        _ etag: String, in folder: String, mayAdopt: Bool, whileReading: () throws -> Void
    ) throws {
        self.etag = etag
        self.folder = folder
        path = Self.newName(for: etag, in: folder)
        let hasHash = SHA256.isDigest(etag)
        if hasHash { hash = SHA256() }
        // Renamed, so that nobody else takes it up even where locks hold nobody off.
        if mayAdopt, let left = Self.left(of: etag, in: folder, keepsLargest: hasHash),
            rename(left, path) != 0
        {
            unlink(left)
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileSystem.failure(path) }
        try readWhatIsThere(whileReading)
    }

    deinit { close(descriptor) }

    private static let mark = ".gpi-"
    private static let suffix = ".incomplete"

    /// Bytes that an earlier run has left of a blob.
    static func size(of etag: String, in folder: String) -> Int {
        guard SHA256.isDigest(etag) else { return 0 }
        return names(of: etag, in: folder).compactMap { FileSystem.size(of: $0) }.max() ?? 0
    }

    private static func newName(for etag: String, in folder: String) -> String {
        let number = String(UInt64.random(in: .min ... .max), radix: 36)
        return "\(folder)/\(etag)\(mark)\(number)\(suffix)"
    }

    private static func names(of etag: String, in folder: String) -> [String] {
        FolderContents.names(in: folder).filter {
            $0.hasPrefix(etag + mark) && $0.hasSuffix(suffix)
        }.map { "\(folder)/\($0)" }
    }

    /// The largest partial file of a blob; the others are removed.
    private static func left(of etag: String, in folder: String, keepsLargest: Bool) -> String? {
        var names = names(of: etag, in: folder)
        let largest =
            keepsLargest
            ? names.max { FileSystem.size(of: $0) ?? 0 < FileSystem.size(of: $1) ?? 0 } : nil
        names.removeAll { $0 == largest }
        for name in names { unlink(name) }
        return largest
    }

    private func readWhatIsThere(_ whileReading: () throws -> Void) throws {
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try whileReading()
            let size = read(descriptor, &piece, piece.count)
            if size < 0 && errno == EINTR { continue }
            guard size >= 0 else {
                throw HubError.cannotRead(path: path, reason: SystemError.words)
            }
            if size == 0 { return }
            piece.withUnsafeBytes { hash?.add(UnsafeRawBufferPointer(rebasing: $0[..<size])) }
            count += size
        }
    }

    /// Adds bytes at the end.
    /// - Throws: `HubError.noSpace`, `.cannotWrite`.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            // At a place, not at the end: whoever else may write this file writes the same.
            let written = pwrite(descriptor, piece.baseAddress, piece.count, off_t(count))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw FileSystem.failure(path) }
            hash?.add(UnsafeRawBufferPointer(rebasing: piece[..<written]))
            count += written
            rest = rest.dropFirst(written)
        }
    }

    /// Begins again from nothing.
    /// - Throws: `HubError.cannotWrite`.
    func restart() throws {
        // In a file of its own: whoever may have taken up the old one goes on with it.
        unlink(path)
        let path = Self.newName(for: etag, in: folder)
        let new = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard new >= 0 else { throw FileSystem.failure(path) }
        close(descriptor)
        descriptor = new
        self.path = path
        count = 0
        if hash != nil { hash = SHA256() }
    }

    /// What is wrong with the bytes, if they are to be all; nil if nothing is.
    func fault(expectedSize: Int?) -> String? {
        if let expectedSize, count != expectedSize {
            return "\(count) bytes came, where the hub speaks of \(expectedSize)."
        }
        if let digest = hash?.hexDigest, digest != etag {
            return "Its SHA-256 is \(digest), where the hub speaks of \(etag)."
        }
        return nil
    }

    /// Gives the blob its name. Only for one without fault.
    /// - Throws: `HubError.cannotWrite`, `.noSpace`, `Taken`.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw FileSystem.failure(path) }
        guard rename(path, "\(folder)/\(etag)") == 0 else {
            if errno == ENOENT { throw Taken() }
            throw FileSystem.failure(path)
        }
        FileSystem.syncFolder(folder)
    }

    /// Removes what has arrived.
    func discard() { unlink(path) }
}
