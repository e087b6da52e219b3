import CKernels

/// A 3×3 convolution with what stands around it in a residual block, in one pass.
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
    package var steps = Steps.each

    /// The places of the (enlarged) input that the kernel is put at.
    package enum Steps {
        /// Each of them, with zeros around the map: stride 1, padding 1.
        case each
        /// Every second one, with zeros around the map: stride 2, padding 1.
        case second
        /// Every second one, with zeros after the map alone, as the autoencoder has it.
        case secondPaddedAfter
    }

    package init(weight: Tensor) {
        self.weight = weight
    }

    /// - Parameters:
    ///   - x: `[N, inputs, H, W]`.
    ///   - residual: of the shape of the result, which takes its place in memory if nobody else holds it.
    ///   - machine: what it runs on.
    /// - Returns: `[N, outputs, H, W]`, or twice or half that height and width; stored channels last.
    package func callAsFunction(
        _ x: Tensor, residual: consuming Tensor? = nil, on machine: KernelMachine
    ) throws -> Tensor {
        try Interruption.check()
        guard x.shape.count == 4, x.count > 0, weight.shape == [weight.shape[0], x.shape[1], 3, 3]
        else {
            throw TorchError.invalidArgument(
                "A feature map of shape \(x.shape) does not fit weights of shape \(weight.shape).")
        }
        let (images, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
        let shape = [images, outputs] + x.shape.suffix(2).map(side)
        guard !shape.contains(0) else {
            throw TorchError.invalidArgument("A feature map of shape \(x.shape) has no half.")
        }
        let input = try x.contiguous(.channelsLast)
        if let given = residual, try !given.isChannelsLast {
            residual = try given.contiguous(.channelsLast)
        }
        let result =
            try Tensor.reusable(&residual, shape: shape)
            ?? Tensor(channelsLast: shape, in: x.library)
        let biasRows = bias.flatMap { $0.shape.count == 2 ? $0.shape[0] : nil }
        var convolution = KernelsConvolution(
            images: Int64(images), height: Int64(shape[2]), width: Int64(shape[3]),
            input_height: Int64(x.shape[2]), input_width: Int64(x.shape[3]),
            inputs: Int64(inputs), outputs: Int64(outputs), enlargement: doublesSize ? 2 : 1,
            stride: steps == .each ? 1 : 2, padding: steps == .secondPaddedAfter ? 0 : 1,
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

    /// Height or width of the result for that of the input.
    private func side(_ size: Int) -> Int {
        let enlarged = doublesSize ? 2 * size : size
        return switch steps {
        case .each: enlarged
        case .second: (enlarged + 1) / 2
        case .secondPaddedAfter: enlarged / 2
        }
    }
}

extension Tensor {
    /// The tensor, if it has that shape and nobody else can see its elements change.
    fileprivate static func reusable(_ tensor: inout Tensor?, shape: [Int]) throws -> Tensor? {
        guard isKnownUniquelyReferenced(&tensor), let tensor, tensor.shape == shape,
            !tensor.isRecorded, tensor.ownsReusedMemoryAlone
        else { return nil }
        return tensor
    }
}
