extension [String: Tensor] {
    /// Writes to each tensor the elements of the one with its name, converted to its dtype and device.
    /// - Parameter others: of the same names and shapes.
    /// - Throws: `TorchError.invalidArgument` if they are not; nothing is changed then.
    public func overwrite(with others: [String: Tensor]) throws {
        try others.check(shapesOf: self, "the saved tensors")
        for (name, tensor) in self {
            if let other = others[name] { try tensor.overwrite(with: other) }
        }
    }
}
