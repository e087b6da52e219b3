/// What can go wrong with one picture or its request.
public enum PipelineError: Error, Equatable, CustomStringConvertible {
    /// An argument out of its range; `name` is its name as in Python and C.
    case invalidArgument(name: String, reason: String)
    /// Latents or pixels that are not numbers: damaged weights, or a 16-bit overflow.
    case notFinite(String)

    public var description: String {
        switch self {
        case .invalidArgument(let name, let reason): "\(name): \(reason)"
        case .notFinite(let what):
            """
            The \(what) are not finite numbers. The model's weights are damaged, or their 16-bit \
            arithmetic overflowed.
            """
        }
    }
}
