import Files
import Glibc

/// A hold on a study's folder, given up when the last reference goes or the process ends.
final class FolderLock {
    private let descriptor: Int32

    /// - Parameters:
    ///   - path: a file that stays.
    ///   - isShared: whether others may hold it in the same way.
    /// - Throws: `StudyError.inUse` at once if another process holds it; `WriteError` if the file
    ///   cannot be made. File systems without locks grant every hold: all files of a study are written
    ///   whole, so that nothing is damaged there either.
    init(_ path: String, of folder: String, isShared: Bool) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw WriteError(path: path, reason: SystemError.words) }
        while flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: throw StudyError.inUse(folder: folder)
            default: return
            }
        }
    }

    deinit { close(descriptor) }
}
