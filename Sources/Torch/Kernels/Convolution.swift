import CKernels

/// A 3×3 convolution of stride 1 and padding 1 with what stands around it in a residual block, in one pass.
///
/// Answers to `residual + conv2d(f(x), weight, bias)`, where f is the identity, or SiLU of a normalisation,
/// and perhaps doubles height and width by repeating elements.
package struct KernelConvolution {
    /// `[outputs, inputs, 3, 3]`
    package let weight: Tensor
    /// `[outputs]`, or `[N, outputs]` for each picture its own.
    package var bias: Tensor?
    package var activation: ChannelFactors?
    package var doublesSize = false
    /// Of the shape of the result.
    package var residual: Tensor?

    package init(weight: Tensor) {
        self.weight = weight
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]` or twice that height and width, stored channels last.
    package func callAsFunction(_ x: Tensor, on machine: KernelMachine) throws -> Tensor {
        try Interruption.check()
        guard x.shape.count == 4, x.count > 0, weight.shape == [weight.shape[0], x.shape[1], 3, 3]
        else {
            throw TorchError.invalidArgument(
                "A feature map of shape \(x.shape) does not fit weights of shape \(weight.shape).")
        }
        let (images, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
        let factor = doublesSize ? 2 : 1
        let shape = [images, outputs, factor * x.shape[2], factor * x.shape[3]]
        let input = try x.contiguous(.channelsLast)
        let residual = try residual?.contiguous(.channelsLast)
        let result = try Tensor(channelsLast: shape, in: x.library)
        let biasRows = bias.flatMap { $0.shape.count == 2 ? $0.shape[0] : nil }
        var convolution = KernelsConvolution(
            images: Int64(images), height: Int64(shape[2]), width: Int64(shape[3]),
            inputs: Int64(inputs), outputs: Int64(outputs), enlargement: Int64(factor),
            input: try input.floats(x.shape, order: .channelsLast),
            weight: try weight.floats(weight.shape),
            bias: try bias?.floats(biasRows.map { [$0 == 1 ? 1 : images, outputs] } ?? [outputs]),
            bias_stride: Int64((biasRows ?? 1) == 1 ? 0 : outputs),
            scale: try activation?.scale.floats([images, inputs]),
            shift: try activation?.shift.floats([images, inputs]),
            residual: try residual?.floats(shape, order: .channelsLast),
            output: try result.floats(shape, order: .channelsLast))
        let size = kernels_convolution_scratch(
            &convolution, machine.instructions, machine.threads.count)
        let scratch = try ReusedMemory.block(byteCount: size)
        withExtendedLifetime((self, input, residual, result, scratch)) {
            kernels_convolve(
                &convolution, machine.instructions, machine.threads, scratch.address)
        }
        return result
    }
}
