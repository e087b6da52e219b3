import FoundationEssentials
import Glibc

/// A folder in memory, for readers that want a path; of this process alone, and gone with it.
struct ScratchFolder: Sendable {
    let path: String

    static let shared = ScratchFolder()

    private init() {
        var isFolder = false
        let hasMemory = FileManager.default.fileExists(atPath: "/dev/shm", isDirectory: &isFolder)
        path = (hasMemory && isFolder ? "/dev/shm" : "/tmp") + "/gpi-fuzz-\(getpid())"
        mkdir(path, 0o700)
        atexit { try? FileManager.default.removeItem(atPath: ScratchFolder.shared.path) }
    }

    /// Writes a file, over what was there.
    @discardableResult
    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0,
            Glibc.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count
        else { throw Fault(description: "\(file) cannot be written") }
        return file
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        var text = text
        return try text.withUTF8 { try write(UnsafeRawBufferPointer($0), to: name) }
    }

    func remove(_ name: String) {
        unlink("\(path)/\(name)")
    }
}
