import Checkpoints
import Torch
import TorchNN

/// The autoencoder's way down, from a picture to the parameters of the posterior.
///
/// Answers to diffusers' `Encoder`, together with the autoencoder's `quant_conv`.
struct AutoencoderEncoder {
    private let convIn: Conv2d
    private let downBlocks: [DownEncoderBlock2D]
    private let midBlock: AutoencoderMidBlock
    private let normOut: GroupNorm
    private let convOut: Conv2d
    private let quantConv: Conv2d?

    /// - Parameter weights: those of the whole autoencoder.
    init(_ weights: Weights, _ configuration: AutoencoderKLConfiguration) throws {
        let encoder = weights / "encoder"
        let widths = configuration.blockOutChannels
        let parameters = 2 * configuration.latentChannels
        convIn = try Conv2d(
            encoder / "conv_in", from: configuration.inChannels, to: configuration.firstWidth,
            kernel: 3, padding: 1)
        downBlocks = try widths.indices.map { index in
            try DownEncoderBlock2D(
                encoder / "down_blocks" / "\(index)", from: widths[max(index - 1, 0)],
                to: widths[index], configuration, downsamples: index < widths.count - 1)
        }
        midBlock = try AutoencoderMidBlock(
            encoder / "mid_block", channels: configuration.lastWidth, configuration: configuration)
        normOut = try GroupNorm(
            encoder / "conv_norm_out", channels: configuration.lastWidth,
            groups: configuration.normNumGroups, epsilon: AutoencoderKL.normEpsilon)
        convOut = try Conv2d(
            encoder / "conv_out", from: configuration.lastWidth, to: parameters, kernel: 3,
            padding: 1)
        quantConv =
            configuration.useQuantConv
            ? try Conv2d(weights / "quant_conv", from: parameters, to: parameters, kernel: 1) : nil
        try encoder.finish()
    }

    /// `[N, 3, H, W]` in [-1, 1] to mean and log variance, `[N, 2 * latent channels, H / 8, W / 8]`.
    ///
    /// - Parameter makesRoom: whether pages of weights are given back as soon as these have served.
    func callAsFunction(_ x: Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = try convIn(x)
        // Given away, so that each layer's result takes the place of what it came from.
        for block in downBlocks { hidden = try block(consume hidden, makesRoom: makesRoom) }
        hidden = try midBlock(consume hidden, makesRoom: makesRoom)
        hidden = try convOut(normOut.silu(hidden))
        return try quantConv?(hidden) ?? hidden
    }
}

/// Residual blocks, then half the height and width. Answers to diffusers' `DownEncoderBlock2D`.
private struct DownEncoderBlock2D {
    private let resnets: [AutoencoderResnet]
    private let downsampler: Downsample2D?

    init(
        _ weights: Weights, from inputs: Int, to outputs: Int,
        _ configuration: AutoencoderKLConfiguration, downsamples: Bool
    ) throws {
        resnets = try (0..<configuration.layersPerBlock).map { index in
            try AutoencoderResnet(
                weights / "resnets" / "\(index)", from: index == 0 ? inputs : outputs, to: outputs,
                configuration)
        }
        downsampler =
            downsamples
            ? try Downsample2D(weights / "downsamplers" / "0", channels: outputs, padding: 0) : nil
    }

    func callAsFunction(_ x: consuming Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = consume x
        for resnet in resnets { hidden = try resnet(consume hidden, makesRoom: makesRoom) }
        return try downsampler?(hidden) ?? hidden
    }
}
