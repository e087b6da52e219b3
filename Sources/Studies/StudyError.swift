/// Why a study cannot be run.
public enum StudyError: Error, Equatable, CustomStringConvertible {
    /// An argument out of its range; `name` is its name as in Python.
    case invalidArgument(name: String, reason: String)
    /// The folder holds the results of other settings.
    case otherSettings(folder: String, differences: [SettingDifference])
    /// A file of the folder is not what a run left there.
    case damaged(path: String, reason: String)
    /// Another process is at work in the folder.
    case inUse(folder: String)
    /// The system gives no thread.
    case noThread(reason: String)
    /// A picture failed, and the run was asked to stop there.
    case failed(name: String, reason: String)

    public var description: String {
        switch self {
        case .invalidArgument(let name, let reason):
            "\(name): \(reason)"
        case .otherSettings(let folder, let differences):
            """
            \(folder) holds results of other settings:
            \(differences.map { "  \($0)" }.joined(separator: "\n"))
            Choose another folder, set these as they were, or start anew without resuming \
            (resume=False, --no-resume), which computes everything again.
            """
        case .damaged(let path, let reason):
            """
            \(path): \(reason) It is not as a run left it. Put back the file as it was, or start anew \
            without resuming or in another folder.
            """
        case .inUse(let folder):
            """
            Another process is at work in \(folder). Wait for it; to share the work between processes, \
            give each of them a part of the pictures (shard).
            """
        case .noThread(let reason):
            "The system gives no thread: \(reason). End other programs, or raise the limit (ulimit -u)."
        case .failed(let name, let reason):
            "\(name): \(reason)"
        }
    }
}

/// A setting that was one thing when a folder was begun and is another now.
public struct SettingDifference: Equatable, Sendable, CustomStringConvertible {
    public var name: String
    /// As in the settings file.
    public var before: String
    public var now: String

    public var description: String { "\(name): \(before) there, \(now) now" }
}
