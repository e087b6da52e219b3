// Tensors by name that have to fit others.

extension [String: Tensor] {
    /// Checks that the names and shapes are those of `others`.
    /// - Parameters:
    ///   - others: what is expected.
    ///   - what: what self is, for the error.
    /// - Throws: `TorchError.invalidArgument` with the first name in order that does not fit.
    func check(shapesOf others: [String: Tensor], _ what: String) throws {
        for name in Set(keys).union(others.keys).sorted() {
            switch (self[name]?.shape, others[name]?.shape) {
            case (let found?, let expected?) where found == expected: continue
            case (let found?, let expected?):
                throw TorchError.invalidArgument(
                    "In \(what) \"\(name)\" is of shape \(found) instead of \(expected).")
            case (nil, _):
                throw TorchError.invalidArgument("In \(what) there is no \"\(name)\".")
            case (_, nil):
                throw TorchError.invalidArgument(
                    "In \(what) there is \"\(name)\", which belongs to nothing.")
            }
        }
    }
}
