// The operations of neural networks that models here are built from, named as in
// `torch.nn.functional`.

extension Tensor {
    /// Two-dimensional convolution.
    ///
    /// - Parameters:
    ///   - weight: `[out, in / groups, kernel height, kernel width]`.
    ///   - bias: `[out]`.
    ///   - stride: places from one application of the kernel to the next.
    ///   - padding: zeros on each side.
    ///   - groups: parts of equal size that the channels fall into, each seen by its own kernels.
    /// - Returns: `[N, out, H', W']` for an input `[N, in, H, W]`.
    public func conv2d(
        weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0, groups: Int = 1
    ) throws -> Tensor {
        try library.call(
            "conv2d",
            [
                .tensor(self), .tensor(weight), .optionalTensor(bias), .ints([stride, stride]),
                .ints([padding, padding]), .ints([1, 1]), .int(groups),
            ]
        )
        .recorded(from: self, weight, bias) {
            [convolutionPath(weight, bias, stride: stride, padding: padding, groups: groups)]
        }
    }

    /// `x Wᵀ + b` over the last dimension: `[…, in]` to `[…, out]`, with `weight` `[out, in]`.
    public func linear(weight: Tensor, bias: Tensor?) throws -> Tensor {
        try library.call("linear", [.tensor(self), .tensor(weight), .optionalTensor(bias)])
            .recorded(from: self, weight, bias) { try linearPaths(weight, bias) }
    }

    /// The matrix product over the last two dimensions, `[…, n, k]` by `[…, k, m]`; those before them
    /// broadcast.
    /// - Throws: `TorchError.invalidArgument` if one has fewer than two dimensions.
    public func matrixProduct(_ other: Tensor) throws -> Tensor {
        guard shape.count >= 2, other.shape.count >= 2 else {
            throw TorchError.invalidArgument(
                "\(shape) and \(other.shape) are not the shapes of matrices.")
        }
        return try library.call("matmul", [.tensor(self), .tensor(other)])
            .recorded(from: self, other) {
                let (form, formOfOther) = try (form, other.form)
                return [
                    GradientPath(to: self) {
                        try $0.matrixProduct(other.transposed(-2, -1)).fitted(to: form)
                    },
                    GradientPath(to: other) {
                        try self.transposed(-2, -1).matrixProduct($0).fitted(to: formOfOther)
                    },
                ]
            }
    }

    /// Group normalisation (Wu and He, 2018) of `[N, C, …]`; `weight` and `bias` are `[C]`.
    public func groupNorm(groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) throws
        -> Tensor
    {
        if isRecorded || weight.isRecorded || bias.isRecorded {
            return try recordedGroupNorm(
                groups: groups, weight: weight, bias: bias, epsilon: epsilon)
        }
        return try library.call(
            "group_norm",
            [
                .tensor(self), .int(groups), .optionalTensor(weight), .optionalTensor(bias),
                .double(epsilon), .bool(false),
            ])
    }

    /// Layer normalisation (Ba et al., 2016) over the last dimension; `weight` and `bias` have its size.
    public func layerNorm(weight: Tensor, bias: Tensor, epsilon: Double) throws -> Tensor {
        if isRecorded || weight.isRecorded || bias.isRecorded {
            return try recordedLayerNorm(weight: weight, bias: bias, epsilon: epsilon)
        }
        return try library.call(
            "layer_norm",
            [
                .tensor(self), .ints(weight.shape), .optionalTensor(weight), .optionalTensor(bias),
                .double(epsilon), .bool(false),
            ])
    }

    /// `x / max(‖x‖, 1e-12)` of each vector of `[N, size]`. Norms are computed in 32 bits.
    /// - Throws: `TorchError.invalidArgument` for another number of dimensions.
    public func normalized() throws -> Tensor {
        guard shape.count == 2 else {
            throw TorchError.invalidArgument("\(shape) is not the shape of a list of vectors.")
        }
        // Products, as the operators for norms and sums want a Scalar or are deprecated.
        let rows = try converted(to: .float32).reshaped([shape[0], 1, shape[1]])
        let squares = try rows.matrixProduct(rows.transposed(1, 2))
        let norms = try squares.squareRoot().reshaped([shape[0], 1])
        return try self / norms.converted(to: dtype).clamped(to: 1e-12...(.infinity))
    }

    /// The rows of `table` (`[count, size]`) that self, a tensor of int64, names.
    public func embedded(in table: Tensor) throws -> Tensor {
        try library.call(
            "embedding", [.tensor(table), .tensor(self), .int(-1), .bool(false), .bool(false)]
        )
        .recorded(from: table) {
            let (numbers, count) = (self, table.shape[0])
            return [
                GradientPath(to: table) {
                    try $0.library.call(
                        "embedding_dense_backward",
                        [.tensor($0), .tensor(numbers), .int(count), .int(-1), .bool(false)])
                }
            ]
        }
    }

    /// `x · sigmoid(x)`
    public func silu() throws -> Tensor {
        try library.call("silu", [.tensor(self)]).recorded(from: self) {
            [
                GradientPath(to: self) {
                    try $0.library.call("silu_backward", [.tensor($0), .tensor(self)])
                }
            ]
        }
    }

    /// `1 / (1 + exp(-x))`
    public func sigmoid() throws -> Tensor {
        let result = try library.call("sigmoid", [.tensor(self)])
        return try result.recorded(from: self) {
            [
                GradientPath(to: self) {
                    try $0.library.call("sigmoid_backward", [.tensor($0), .tensor(result)])
                }
            ]
        }
    }

    /// `x · Φ(x)` with the normal distribution's exact Φ (Hendrycks and Gimpel, 2016).
    public func gelu() throws -> Tensor {
        // Not `aten::gelu`: its string argument leaks in the dispatcher with every call.
        let x = try detached()
        return try (0.5 * x * x.erfPlusOne()).recorded(from: self) {
            [
                // Φ + x φ, with the distribution's density φ.
                GradientPath(to: self) {
                    let density =
                        try (1 / (2 * Double.pi).squareRoot())
                        * (-0.5 * x * x).exponential()
                    return try $0 * (0.5 * x.erfPlusOne() + x * density)
                }
            ]
        }
    }

    /// 2 Φ(x)
    private func erfPlusOne() throws -> Tensor {
        try library.call("erf", [.tensor(self / 2.squareRoot())]) + 1
    }

    /// `exp(x) / Σ exp(x)`, summed over a dimension.
    public func softmax(dimension: Int) throws -> Tensor {
        let result = try library.call(
            "softmax", overload: "int", [.tensor(self), .int(dimension), .none])
        return try result.recorded(from: self) {
            [GradientPath(to: self) { try result.softmaxBackward($0, dimension: dimension) }]
        }
    }

    /// The gradient of what self is the softmax of.
    func softmaxBackward(_ gradient: Tensor, dimension: Int) throws -> Tensor {
        try library.call(
            "_softmax_backward_data",
            [.tensor(gradient), .tensor(self), .int(dimension), .dtype(dtype)])
    }

    /// Softmax(query keyᵀ / √d) value, with self as query: `[N, heads, length, d]`, as is the result.
    ///
    /// - Parameters:
    ///   - key: `[N, heads, attended length, d]`.
    ///   - value: of the shape of `key`.
    ///   - isCausal: whether a place sees only itself and the places before it.
    public func scaledDotProductAttention(
        key: Tensor, value: Tensor, isCausal: Bool = false
    ) throws -> Tensor {
        if isRecorded || key.isRecorded || value.isRecorded,
            try hasFlashAttention(key, value, isCausal: isCausal)
        {
            return try recordedFlashAttention(key, value, isCausal: isCausal)
        }
        return try library.call(
            "scaled_dot_product_attention",
            [
                .tensor(self), .tensor(key), .tensor(value), .none, .double(0), .bool(isCausal),
                .none, .bool(false),
            ]
        )
        .recorded(from: self, key, value) { [attentionPath(key, value, isCausal: isCausal)] }
    }

    /// `[N, C, H, W]` enlarged to `[N, C, height, width]` by repeating the nearest element.
    public func upsampledNearest(height: Int, width: Int) throws -> Tensor {
        try library.call(
            "upsample_nearest2d", [.tensor(self), .ints([height, width]), .none, .none]
        )
        .recorded(from: self) {
            let sizes = shape
            return [
                GradientPath(to: self) {
                    try $0.library.call(
                        "upsample_nearest2d_backward",
                        [.tensor($0), .ints([height, width]), .ints(sizes), .none, .none])
                }
            ]
        }
    }
}
