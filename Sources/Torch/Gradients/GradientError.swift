/// Why there are no gradients.
public enum GradientError: Error, Equatable, CustomStringConvertible {
    /// Gradients are those of one real number, and this is none.
    case notScalar(shape: [Int], dtype: DType)
    /// The loss was computed from none of the tensors whose gradients are asked for.
    case notRecorded
    /// An operation has inputs that two computations of gradients, one inside the other, watch.
    case severalTapes

    public var description: String {
        switch self {
        case .notScalar(let shape, let dtype):
            """
            The loss has the shape \(shape) and the dtype \(dtype.rawValue); gradients are those of one real \
            number. Take the mean() or the sum() of it.
            """
        case .notRecorded:
            """
            The loss does not depend on any of the tensors whose gradients are asked for: it must be \
            computed from them inside of withGradients(of:), by differentiable operations.
            """
        case .severalTapes:
            """
            An operation has inputs that belong to two nested calls of withGradients(of:). Use \
            detached() on those that are constants to the inner one.
            """
        }
    }
}
