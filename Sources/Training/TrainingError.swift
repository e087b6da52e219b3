/// Why a model cannot be trained.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// An argument out of its range; `name` is its name as in Python.
    case invalidArgument(name: String, reason: String)
    /// The loss, the gradient or the parameters after a step are no numbers.
    case notFinite(step: Int, what: String)
    /// The same in a run, with the checkpoint that it can go on from.
    case diverged(step: Int, what: String, checkpoint: String?)
    /// The folder holds a run of other settings.
    case otherSettings(folder: String, differences: [String])
    /// A file of the folder is not what a run left there.
    case damaged(path: String, reason: String)
    /// Another process is at work in the folder.
    case inUse(folder: String)

    public var description: String {
        switch self {
        case .invalidArgument(let name, let reason):
            "\(name): \(reason)"
        case .notFinite(let step, let what):
            """
            The \(what) of step \(step) is not finite. \(Self.cure)
            """
        case .diverged(let step, let what, let checkpoint):
            """
            The \(what) of step \(step) is not finite: the training has diverged. \
            \(checkpoint.map { "The last good checkpoint is \($0)." } ?? "There is no checkpoint yet.") \
            \(Self.cure)
            """
        case .otherSettings(let folder, let differences):
            """
            \(folder) holds a run of other settings:
            \(differences.map { "  \($0)" }.joined(separator: "\n"))
            Choose another folder, set these as they were, or start anew without resuming \
            (resume=False, --no-resume), which removes what is there.
            """
        case .damaged(let path, let reason):
            """
            \(path): \(reason) It is not as a run left it. Put back the file as it was, or start anew \
            without resuming or in another folder.
            """
        case .inUse(let folder):
            "Another process is at work in \(folder). Wait for it, or take another folder."
        }
    }

    private static let cure = """
        A smaller learning rate, a longer warm-up or a lower limit of the gradient (max_gradient_norm) often \
        helps.
        """
}
