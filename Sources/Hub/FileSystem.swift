import Files
import Glibc

/// The few calls on files that the cache is made of, with errors that say what to do.
enum FileSystem {
    /// The size of a regular file, by itself or through links; nil if there is none.
    static func size(of path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Makes a folder and those above it.
    /// - Throws: `HubError.cannotWrite`, `.noSpace`.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 { return }
        switch errno {
        case EEXIST:
            // A file of that name shows itself where the folder is used.
            return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw failure(path)
            }
            try makeFolder(String(path[..<slash]))
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure(path) }
        default:
            throw failure(path)
        }
    }

    /// Makes new names in a folder survive a power failure.
    static func syncFolder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        // The files are whole anyway.
        fsync(descriptor)
        close(descriptor)
    }

    /// The bytes of a file.
    /// - Throws: `HubError.cannotRead`.
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        do {
            return try FileBytes.of(path, limit: limit)
        } catch let error as ReadError {
            throw HubError.cannotRead(path: path, reason: error.reason)
        }
    }

    /// Regular files under a folder, as relative paths.
    static func files(under folder: String, depth: Int = 8) -> [String] {
        FolderContents.names(in: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            if size(of: path) != nil { return [name] }
            guard depth > 0 else { return [] }
            return files(under: path, depth: depth - 1).map { "\(name)/\($0)" }
        }
    }

    /// Bytes that may still be written to the disk of a folder, which need not exist yet. Nil where
    /// the file system does not tell.
    static func freeSpace(at folder: String) -> Int? {
        var status = statvfs()
        var path = folder
        while statvfs(path, &status) != 0 {
            guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex
            else { return nil }
            path = String(path[..<slash])
        }
        guard status.f_blocks > 0 else { return nil }
        let (free, overflow) = UInt(status.f_bavail).multipliedReportingOverflow(
            by: UInt(status.f_frsize))
        return overflow ? nil : Int(clamping: free)
    }

    /// What the call that has just failed on `path` comes to.
    static func failure(_ path: String) -> HubError {
        let code = errno
        let reason = SystemError.words
        // A limit on the size of files is a disk too small as well.
        guard [ENOSPC, EDQUOT, EFBIG].contains(code) else {
            return .cannotWrite(path: path, reason: reason)
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return .noSpace(folder: folder, needed: nil, free: freeSpace(at: folder) ?? 0)
    }
}
