// Writing to tensors that others hold: parameters, and what an optimiser keeps of them. None of it is
// recorded by a tape, and no tape may hold such a tensor's old elements.

extension Tensor {
    /// Takes the elements of `other`, converted to self's dtype and moved to its device.
    /// - Throws: `TorchError.invalidArgument` if the shapes differ.
    public func overwrite(with other: Tensor) throws {
        guard shape == other.shape else {
            throw TorchError.invalidArgument(
                "A tensor of shape \(shape) cannot take the elements of one of shape \(other.shape)."
            )
        }
        _ = try library.call("copy_", [.tensor(self), .tensor(other), .bool(false)])
    }

    /// `self ← self + weight (target - self)`; with a weight of 1 exactly `target`.
    ///
    /// - Parameters:
    ///   - target: of self's shape, dtype and device.
    ///   - weight: how much of the way to go, 0 to 1.
    func approach(_ target: Tensor, by weight: Double) throws {
        let weight = try Tensor(scalar: weight, in: library).converted(to: dtype).moved(to: device)
        _ = try library.call(
            "lerp_", overload: "Tensor", [.tensor(self), .tensor(target), .tensor(weight)])
    }

    /// A copy in memory of its own, in float32 at least: sums of many small numbers are lost in 16 bits.
    func preciseCopy() throws -> Tensor {
        try dtype.byteCount < 4 ? converted(to: .float32).contiguous() : cloned()
    }
}
