// Sums and means, and the losses made of them.

extension Tensor {
    /// The sum of all elements, a tensor without dimensions.
    public func sum() throws -> Tensor {
        try library.call("sum", [.tensor(self), .none]).recorded(from: self) {
            let form = try form
            return [
                GradientPath(to: self) { try $0.expanded(to: form.shape).converted(to: form.dtype) }
            ]
        }
    }

    /// The sum over some dimensions; negative numbers count from the last.
    /// - Parameters:
    ///   - dimensions: to sum over.
    ///   - keepingDimensions: whether they stay, with size 1.
    public func sum(over dimensions: [Int], keepingDimensions: Bool = false) throws -> Tensor {
        try library.call(
            "sum", overload: "dim_IntList",
            [.tensor(self), .optionalInts(dimensions), .bool(keepingDimensions), .none]
        )
        .recorded(from: self) {
            let form = try form
            let summed = try summedDimensions(dimensions)
            let kept = shape.indices.map { summed.contains($0) ? 1 : shape[$0] }
            return [
                GradientPath(to: self) {
                    try $0.reshaped(kept).expanded(to: form.shape).converted(to: form.dtype)
                }
            ]
        }
    }

    /// The mean of all elements, a tensor without dimensions; NaN of none.
    public func mean() throws -> Tensor {
        try sum() / Double(count)
    }

    /// The mean over some dimensions.
    /// - Parameters:
    ///   - dimensions: to average over.
    ///   - keepingDimensions: whether they stay, with size 1.
    public func mean(over dimensions: [Int], keepingDimensions: Bool = false) throws -> Tensor {
        let count = try summedDimensions(dimensions).map { shape[$0] }.reduce(1, *)
        return try sum(over: dimensions, keepingDimensions: keepingDimensions) / Double(count)
    }

    /// The mean of `(x - target)²` over all elements, a tensor without dimensions.
    /// - Throws: `TorchError.invalidArgument` if the shapes differ.
    public func meanSquaredError(to target: Tensor) throws -> Tensor {
        guard shape == target.shape else {
            throw TorchError.invalidArgument(
                "A tensor of shape \(shape) cannot be compared with a target of shape "
                    + "\(target.shape), element by element.")
        }
        let difference = try self - target
        return try (difference * difference).mean()
    }

    /// Dimensions counted from the first, each once; all of them if none is named, as in libtorch.
    private func summedDimensions(_ dimensions: [Int]) throws -> Set<Int> {
        guard !dimensions.isEmpty else { return Set(shape.indices) }
        let counted = dimensions.map { $0 < 0 ? $0 + shape.count : $0 }
        guard counted.allSatisfy(shape.indices.contains) else {
            throw TorchError.invalidArgument("Shape \(shape) has no dimensions \(dimensions).")
        }
        return Set(counted)
    }
}
