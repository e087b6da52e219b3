// How gradients go back through convolutions and linear layers.

extension Tensor {
    /// The way back through `conv2d` of self.
    func convolutionPath(
        _ weight: Tensor, _ bias: Tensor?, stride: Int, padding: Int, groups: Int
    ) -> GradientPath {
        let biasSizes = bias?.shape
        return GradientPath(to: [self, weight, bias]) { gradient, wanted in
            try gradient.library.call(
                "convolution_backward",
                [
                    .tensor(gradient), .tensor(self), .tensor(weight),
                    biasSizes.map { .optionalInts($0) } ?? .none, .ints([stride, stride]),
                    .ints([padding, padding]), .ints([1, 1]), .bool(false), .ints([0, 0]),
                    .int(groups), .bools(wanted),
                ], returning: wanted)
        }
    }

    /// The ways back through `linear` of self: `g W`, `gᵀ x` and the sum of `g`.
    func linearPaths(_ weight: Tensor, _ bias: Tensor?) throws -> [GradientPath] {
        let sizes = shape
        var paths = [
            GradientPath(to: self) { gradient in
                try gradient.rows.matrixProduct(weight).reshaped(sizes)
            },
            GradientPath(to: weight) { gradient in
                try gradient.rows.transposed(0, 1).matrixProduct(self.rows)
            },
        ]
        if let bias {
            let form = try bias.form
            paths.append(GradientPath(to: bias) { try $0.rows.fitted(to: form) })
        }
        return paths
    }

    /// `[…, size]` as a matrix `[count, size]`.
    private var rows: Tensor {
        get throws {
            let size = shape.last ?? 1
            return try reshaped([count / Swift.max(size, 1), size])
        }
    }
}
