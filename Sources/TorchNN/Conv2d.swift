import Checkpoints
import Torch

/// Convolution with a square kernel. Answers to `torch.nn.Conv2d`.
public struct Conv2d {
    private let weight: Tensor
    private let bias: Tensor?
    private let kernel: Int
    private let stride: Int
    private let padding: Int
    private let precision: Precision

    /// - Parameters:
    ///   - weights: `weight` and, if there is one, `bias`.
    ///   - inputs: number of channels that go in.
    ///   - outputs: number of channels that come out.
    ///   - kernel: its side, in places.
    ///   - stride: places from one application of the kernel to the next.
    ///   - padding: zeros on each side.
    ///   - bias: whether there is one.
    public init(
        _ weights: Weights, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1,
        padding: Int = 0, bias: Bool = true
    ) throws {
        weight = try weights.tensor("weight", shape: [outputs, inputs, kernel, kernel])
        self.bias = bias ? try weights.tensor("bias", shape: [outputs]) : nil
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        precision = weights.precision
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H', W']`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        if let machine = try machine(for: x) { return try fused(x, on: machine) }
        if stride == 2, padding == 1, let machine = try machine(for: x, stride: 2) {
            return try fused(x, on: machine) { $0.steps = .second }
        }
        return try unfused(x)
    }

    /// The same with something added to the result, `residual`, which is of its shape. Its memory becomes
    /// the result's if nobody else holds it.
    public func callAsFunction(_ x: Tensor, residual: consuming Tensor) throws -> Tensor {
        if let machine = try machine(for: x) {
            return try fused(x, residual: consume residual, on: machine)
        }
        return try unfused(x, residual: residual)
    }

    /// The same of a feature map with one more row of zeros at the bottom and one more column on the right.
    public func paddedAfter(_ x: Tensor) throws -> Tensor {
        if stride == 2, padding == 0, let machine = try machine(for: x, stride: 2) {
            return try fused(x, on: machine) { $0.steps = .secondPaddedAfter }
        }
        return try unfused(x.zeroPadded(left: 0, right: 1, top: 0, bottom: 1))
    }

    /// By libtorch, or as a linear layer.
    private func unfused(_ x: Tensor, residual: Tensor? = nil) throws -> Tensor {
        if kernel == 1, stride == 1, padding == 0, let machine = try x.kernelMachine(precision) {
            return try product(x, residual: residual, on: machine)
        }
        let result = try x.conv2d(weight: weight, bias: bias, stride: stride, padding: padding)
        return try residual.map { try result + $0 } ?? result
    }

    /// The same of a normalised and activated feature map.
    ///
    /// - Parameters:
    ///   - x: `[N, inputs, H, W]`.
    ///   - offsets: added to all places of each channel, `[1 or N, outputs]`.
    ///   - residual: added to the result, and of its shape. Its memory becomes the result's if nobody
    ///     else holds it.
    public func callAsFunction(
        _ x: NormalizedSiLU, offsets: Tensor? = nil, residual: consuming Tensor? = nil
    ) throws -> Tensor {
        if let machine = try machine(for: x.x) {
            return try fused(x.x, residual: consume residual, on: machine) { convolution in
                convolution.activation = try x.factors(on: machine)
                if let offsets { convolution.bias = try bias.map { try offsets + $0 } ?? offsets }
            }
        }
        var result = try self(x.computed())
        if let offsets { result = try result + offsets.reshaped([offsets.shape[0], -1, 1, 1]) }
        return try residual.map { try $0 + result } ?? result
    }

    /// The same of a feature map that is first enlarged by repeating the nearest elements.
    public func callAsFunction(_ x: Tensor, enlargedTo size: (height: Int, width: Int)) throws
        -> Tensor
    {
        if size == (2 * x.shape[2], 2 * x.shape[3]), let machine = try machine(for: x) {
            return try fused(x, on: machine) { $0.doublesSize = true }
        }
        return try self(x.upsampledNearest(height: size.height, width: size.width))
    }

    /// What a kernel for this convolution of `x` would run on; nil if there is none.
    private func machine(for x: Tensor, stride: Int = 1) throws -> KernelMachine? {
        guard kernel == 3, self.stride == stride, stride == 2 || padding == 1 else { return nil }
        return try x.kernelMachine(precision)
    }

    private func fused(
        _ x: Tensor, residual: consuming Tensor? = nil, on machine: KernelMachine,
        with change: (inout KernelConvolution) throws -> Void = { _ in }
    ) throws -> Tensor {
        var convolution = KernelConvolution(weight: weight)
        convolution.bias = bias
        try change(&convolution)
        return try convolution(x, residual: consume residual, on: machine)
    }

    /// A kernel of one place is a linear layer over the channels.
    private func product(_ x: Tensor, residual: Tensor?, on machine: KernelMachine) throws
        -> Tensor
    {
        var linear = try KernelLinear(
            weight: weight.reshaped(Array(weight.shape.prefix(2))), bias: bias)
        linear.residual = try residual?.permuted([0, 2, 3, 1])
        return try linear(x.permuted([0, 2, 3, 1]), on: machine).permuted([0, 3, 1, 2])
    }
}
