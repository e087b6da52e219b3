import Glibc

/// A hold on a folder, given up when the last reference goes or the process ends.
public final class FolderLock {
    /// Another process holds the folder.
    public struct InUse: Error {}

    private let descriptor: Int32

    /// - Parameters:
    ///   - path: a file in the folder that stays.
    ///   - isShared: whether others may hold it in the same way.
    /// - Throws: `InUse` at once if another process holds it; `WriteError` if the file cannot be made. File
    ///   systems without locks grant every hold: whoever holds a folder writes all files whole, so that
    ///   nothing is damaged there either.
    public init(_ path: String, isShared: Bool = false) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw WriteError(path: path, reason: SystemError.words) }
        while flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: throw InUse()
            default: return
            }
        }
    }

    deinit { close(descriptor) }
}
