import Glibc

/// A folder on its way to its name: under a temporary one beside it until everything in it is written.
///
/// What is given up, or left by an error, is removed. What a killed process leaves is found by
/// `PendingFile.isTemporary`.
public final class PendingFolder {
    /// What the folder will be called.
    public let path: String
    /// Where it is until then; files are written here.
    public let temporary: String
    private let parent: String
    private var isOpen = true

    /// - Throws: `WriteError` with the path and the system's words.
    public init(path: String) throws {
        self.path = path
        parent = try PendingFile.folder(of: path)
        temporary = PendingFile.temporaryPath(in: parent)
        // The name is one of 2⁶⁴: nothing has it.
        guard mkdir(temporary, 0o777) == 0 else {
            throw WriteError(path: path, reason: SystemError.words)
        }
    }

    deinit {
        if isOpen { FolderContents.remove(temporary) }
    }

    /// Gives the folder its name.
    /// - Parameter replacing: whether a folder of that name is removed; else its contents are an error. For
    ///   a moment neither has the name.
    /// - Throws: `WriteError`; then the folder is gone, and what was there before is there.
    public func commit(replacing: Bool = false) throws {
        isOpen = false
        let isInTheWay = replacing && access(path, F_OK) == 0
        let before = isInTheWay ? PendingFile.temporaryPath(in: parent) : nil
        if let before { rename(path, before) }
        guard rename(temporary, path) == 0 else {
            let error = WriteError(path: path, reason: SystemError.words)
            if let before { rename(before, path) }
            FolderContents.remove(temporary)
            throw error
        }
        if let before { FolderContents.remove(before) }
        try PendingFile.sync(folder: parent, of: path)
    }
}
