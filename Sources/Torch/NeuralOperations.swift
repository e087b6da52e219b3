// The operations of neural networks that models here are built from, named as in
// `torch.nn.functional`.

extension Tensor {
    /// Two-dimensional convolution.
    ///
    /// - Parameters:
    ///   - weight: `[out, in / groups, kernel height, kernel width]`.
    ///   - bias: `[out]`.
    ///   - padding: zeros on each side.
    /// - Returns: `[N, out, H', W']` for an input `[N, in, H, W]`.
    public func conv2d(
        weight: Tensor, bias: Tensor?, stride: Int = 1, padding: Int = 0, groups: Int = 1
    ) throws -> Tensor {
        try library.call(
            "conv2d",
            [
                .tensor(self), .tensor(weight), .optionalTensor(bias), .ints([stride, stride]),
                .ints([padding, padding]), .ints([1, 1]), .int(groups),
            ])
    }

    /// `x Wᵀ + b` over the last dimension: `[…, in]` to `[…, out]`, with `weight` `[out, in]`.
    public func linear(weight: Tensor, bias: Tensor?) throws -> Tensor {
        try library.call("linear", [.tensor(self), .tensor(weight), .optionalTensor(bias)])
    }

    /// Group normalisation (Wu and He, 2018) of `[N, C, …]`; `weight` and `bias` are `[C]`.
    public func groupNorm(groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) throws
        -> Tensor
    {
        try library.call(
            "group_norm",
            [
                .tensor(self), .int(groups), .optionalTensor(weight), .optionalTensor(bias),
                .double(epsilon), .bool(false),
            ])
    }

    /// `x · sigmoid(x)`
    public func silu() throws -> Tensor {
        try library.call("silu", [.tensor(self)])
    }

    /// Softmax(query keyᵀ / √d) value, with self as query: `[N, heads, length, d]` each.
    public func scaledDotProductAttention(key: Tensor, value: Tensor) throws -> Tensor {
        try library.call(
            "scaled_dot_product_attention",
            [
                .tensor(self), .tensor(key), .tensor(value), .none, .double(0), .bool(false), .none,
                .bool(false),
            ])
    }

    /// `[N, C, H, W]` enlarged to `[N, C, height, width]` by repeating the nearest element.
    public func upsampledNearest(height: Int, width: Int) throws -> Tensor {
        try library.call(
            "upsample_nearest2d", [.tensor(self), .ints([height, width]), .none, .none])
    }
}
