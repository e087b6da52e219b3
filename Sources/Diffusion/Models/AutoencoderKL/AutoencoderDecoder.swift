import Checkpoints
import Torch
import TorchNN

/// The autoencoder's way up, from latents to a picture.
///
/// Answers to diffusers' `Decoder`, together with the autoencoder's `post_quant_conv`.
struct AutoencoderDecoder {
    private let postQuantConv: Conv2d?
    private let convIn: Conv2d
    private let midBlock: AutoencoderMidBlock
    private let upBlocks: [UpDecoderBlock2D]
    private let normOut: GroupNorm
    private let convOut: Conv2d

    /// - Parameter weights: those of the whole autoencoder.
    init(_ weights: Weights, _ configuration: AutoencoderKLConfiguration) throws {
        let decoder = weights / "decoder"
        let widths = Array(configuration.blockOutChannels.reversed())
        let latentChannels = configuration.latentChannels
        postQuantConv =
            configuration.usePostQuantConv
            ? try Conv2d(
                weights / "post_quant_conv", from: latentChannels, to: latentChannels, kernel: 1)
            : nil
        convIn = try Conv2d(
            decoder / "conv_in", from: latentChannels, to: configuration.lastWidth, kernel: 3,
            padding: 1)
        midBlock = try AutoencoderMidBlock(
            decoder / "mid_block", channels: configuration.lastWidth, configuration: configuration)
        upBlocks = try widths.indices.map { index in
            try UpDecoderBlock2D(
                decoder / "up_blocks" / "\(index)", from: widths[max(index - 1, 0)],
                to: widths[index], configuration, upsamples: index < widths.count - 1)
        }
        normOut = try GroupNorm(
            decoder / "conv_norm_out", channels: configuration.firstWidth,
            groups: configuration.normNumGroups, epsilon: AutoencoderKL.normEpsilon)
        convOut = try Conv2d(
            decoder / "conv_out", from: configuration.firstWidth, to: configuration.outChannels,
            kernel: 3, padding: 1)
        try decoder.finish()
    }

    /// `[N, latent channels, H / 8, W / 8]` to `[N, 3, H, W]`, about in [-1, 1].
    ///
    /// - Parameter makesRoom: whether pages of weights are given back as soon as these have served.
    func callAsFunction(_ latents: Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = try convIn(postQuantConv?(latents) ?? latents)
        // Given away, so that each layer's result takes the place of what it came from.
        hidden = try midBlock(consume hidden, makesRoom: makesRoom)
        for block in upBlocks { hidden = try block(consume hidden, makesRoom: makesRoom) }
        return try convOut(normOut.silu(hidden))
    }
}

/// Residual blocks, then twice the height and width. Answers to diffusers' `UpDecoderBlock2D`.
private struct UpDecoderBlock2D {
    private let resnets: [AutoencoderResnet]
    private let upsampler: Upsample2D?

    init(
        _ weights: Weights, from inputs: Int, to outputs: Int,
        _ configuration: AutoencoderKLConfiguration, upsamples: Bool
    ) throws {
        // One more than on the way down.
        resnets = try (0...configuration.layersPerBlock).map { index in
            try AutoencoderResnet(
                weights / "resnets" / "\(index)", from: index == 0 ? inputs : outputs, to: outputs,
                configuration)
        }
        upsampler =
            upsamples ? try Upsample2D(weights / "upsamplers" / "0", channels: outputs) : nil
    }

    func callAsFunction(_ x: consuming Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = consume x
        for resnet in resnets { hidden = try resnet(consume hidden, makesRoom: makesRoom) }
        return try upsampler?(hidden) ?? hidden
    }
}
