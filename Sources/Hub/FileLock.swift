import Glibc

/// A lock between processes, by `flock` on a file that stays: the one that the huggingface_hub
/// library takes, so that it and this exclude each other.
enum FileLock {
    /// Waits until the lock is free, and holds it during `body`.
    ///
    /// - Parameters:
    ///   - whileWaiting: called several times a second; may throw to give up.
    ///   - body: gets whether others are really excluded; some file systems know no locks.
    /// - Throws: `HubError.cannotWrite`, `.noSpace`, or what the closures throw.
    static func hold<Result>(
        _ path: String, whileWaiting: () throws -> Void, _ body: (Bool) throws -> Result
    ) throws -> Result {
        if let slash = path.lastIndex(of: "/") {
            try FileSystem.makeFolder(String(path[..<slash]))
        }
        while true {
            // For the group as well: several users may share a cache.
            let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o664)
            guard descriptor >= 0 else { throw FileSystem.failure(path) }
            defer { close(descriptor) }
            guard try lock(descriptor, whileWaiting) else { return try body(false) }
            // If somebody removed the file meanwhile, the lock on it excludes nobody.
            if isFile(descriptor, path) { return try body(true) }
        }
    }

    /// False where there are no locks.
    private static func lock(
        _ descriptor: Int32, _ whileWaiting: () throws -> Void
    ) throws -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EWOULDBLOCK, EACCES, EINTR:
                try whileWaiting()
                usleep(50_000)
            default:
                // Only whether two processes fetch the same bytes depends on the lock.
                return false
            }
        }
        return true
    }

    private static func isFile(_ descriptor: Int32, _ path: String) -> Bool {
        var opened = stat()
        var named = stat()
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
            && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }
}
