import CKernels

/// A normalisation of feature maps as factors of each picture's channels: scale · x + shift.
package struct ChannelFactors {
    /// `[N, C]`
    package let scale: Tensor
    /// `[N, C]`
    package let shift: Tensor
}

/// Group normalisation of feature maps stored channels last.
package struct KernelGroupNorm {
    package let groups: Int
    /// `[C]`
    package let weight: Tensor
    /// `[C]`
    package let bias: Tensor
    package let epsilon: Double

    package init(groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) {
        self.groups = groups
        self.weight = weight
        self.bias = bias
        self.epsilon = epsilon
    }

    /// What normalises `[N, C, H, W]`.
    package func factors(of x: Tensor, on machine: KernelMachine) throws -> ChannelFactors {
        try Interruption.check()
        let input = try x.contiguous(.channelsLast)
        let factors = try uninitializedFactors(of: x)
        var norm = try description(of: input, factors)
        let scratch = try ReusedMemory.block(byteCount: kernels_group_norm_scratch(&norm))
        withExtendedLifetime((self, input, factors, scratch)) {
            kernels_group_norm_factors(
                &norm, machine.instructions, machine.threads, scratch.address)
        }
        return factors
    }

    /// `[N, C, H, W]` normalised, and SiLU of that if it `activates`; stored channels last.
    package func callAsFunction(_ x: Tensor, activates: Bool = false, on machine: KernelMachine)
        throws -> Tensor
    {
        let input = try x.contiguous(.channelsLast)
        let factors = try factors(of: input, on: machine)
        let result = try Tensor(channelsLast: x.shape, in: x.library)
        var norm = try description(of: input, factors)
        let output = try result.floats(x.shape, order: .channelsLast)
        withExtendedLifetime((self, input, factors, result)) {
            kernels_group_norm_apply(
                &norm, activates, output, machine.instructions, machine.threads)
        }
        return result
    }

    private func uninitializedFactors(of x: Tensor) throws -> ChannelFactors {
        guard x.shape.count == 4, x.count > 0, groups > 0, x.shape[1] % groups == 0 else {
            throw TorchError.invalidArgument(
                "A feature map of shape \(x.shape) cannot be normalised in \(groups) groups.")
        }
        let shape = Array(x.shape.prefix(2))
        return try ChannelFactors(
            scale: Tensor(uninitialized: shape, dtype: .float32, in: x.library),
            shift: Tensor(uninitialized: shape, dtype: .float32, in: x.library))
    }

    private func description(of x: Tensor, _ factors: ChannelFactors) throws -> KernelsGroupNorm {
        let (images, channels) = (x.shape[0], x.shape[1])
        return KernelsGroupNorm(
            images: Int64(images), places: Int64(x.shape[2] * x.shape[3]),
            channels: Int64(channels), groups: Int64(groups), epsilon: epsilon,
            input: try x.floats(x.shape, order: .channelsLast),
            weight: try weight.floats([channels]), bias: try bias.floats([channels]),
            scale: try factors.scale.floats([images, channels]),
            shift: try factors.shift.floats([images, channels]))
    }
}
