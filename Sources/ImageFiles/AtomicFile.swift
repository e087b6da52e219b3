import Glibc

/// A file that appears at its path complete or not at all.
enum AtomicFile {
    /// Has `body` write a file, then puts it at `path`, replacing what was there.
    ///
    /// The bytes go to a new hidden file in the same folder, which is flushed to disk and
    /// renamed once they are complete, and removed if anything fails before that.
    ///
    /// - Throws: what `body` throws; ``ImageFileError/unwritable(path:reason:)`` where the
    ///   file cannot be created, flushed or renamed.
    static func write(
        to path: String,
        body: (UnsafeMutablePointer<FILE>) throws(ImageFileError) -> Void
    ) throws(ImageFileError) {
        // C would stop at the zero byte and write another file than the one named.
        guard !path.utf8.contains(0) else {
            throw .unwritable(path: path, reason: "the path holds a zero byte")
        }
        let folder = folder(of: path)
        let (temporaryPath, stream) = try openTemporary(in: folder, for: path)
        do throws(ImageFileError) {
            try writeAndClose(stream, path: path, body: body)
            guard rename(temporaryPath, path) == 0 else { throw unwritable(path) }
        } catch {
            unlink(temporaryPath)
            throw error
        }
        flushFolder(folder)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[...slash])
    }

    /// Creates a file that did not exist before, under a name of its own: derived from the
    /// target's, it could exceed the longest name the file system allows.
    private static func openTemporary(
        in folder: String, for path: String
    ) throws(ImageFileError) -> (String, UnsafeMutablePointer<FILE>) {
        let attempts = 100
        for _ in 0..<attempts {
            let name = ".\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
            let temporaryPath = "\(folder)/\(name)"
            // The mode is what any new file gets: everyone may, less the umask.
            let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor < 0, errno == EEXIST { continue }
            guard descriptor >= 0 else { throw unwritable(path) }
            guard let stream = fdopen(descriptor, "wb") else {
                let error = unwritable(path)
                close(descriptor)
                unlink(temporaryPath)
                throw error
            }
            return (temporaryPath, stream)
        }
        throw unwritable(path)
    }

    private static func writeAndClose(
        _ stream: UnsafeMutablePointer<FILE>, path: String,
        body: (UnsafeMutablePointer<FILE>) throws(ImageFileError) -> Void
    ) throws(ImageFileError) {
        do throws(ImageFileError) {
            try body(stream)
            guard fflush(stream) == 0, fsync(fileno(stream)) == 0 else { throw unwritable(path) }
        } catch {
            fclose(stream)
            throw error
        }
        guard fclose(stream) == 0 else { throw unwritable(path) }
    }

    /// Makes the rename itself last. The file is in place already, and some file systems
    /// cannot flush a folder, so failing here is no failure.
    private static func flushFolder(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func unwritable(_ path: String) -> ImageFileError {
        .unwritable(path: path, reason: lastSystemError())
    }
}
