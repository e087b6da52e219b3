/// Why a model cannot be trained.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// An argument out of its range; `name` is its name as in Python.
    case invalidArgument(name: String, reason: String)
    /// The loss or the gradient is no number.
    case notFinite(step: Int, what: String)

    public var description: String {
        switch self {
        case .invalidArgument(let name, let reason):
            "\(name): \(reason)"
        case .notFinite(let step, let what):
            """
            The \(what) of step \(step) is not finite; nothing was changed by it. A smaller learning rate, \
            a longer warm-up or a lower limit of the gradient (max_gradient_norm) often helps.
            """
        }
    }
}
