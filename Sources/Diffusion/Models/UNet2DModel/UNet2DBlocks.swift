import Checkpoints
import Torch
import TorchNN

/// A residual block and, where the block has attention, attention between all places.
private struct UNet2DLayer {
    private let resnet: ResnetBlock2D
    private let attention: SpatialAttention?

    /// - Parameters:
    ///   - weights: those of the block that the layer is in.
    ///   - index: the layer's place in the block.
    init(
        _ weights: Weights, _ index: Int, from inputs: Int, to outputs: Int, hasAttention: Bool,
        _ configuration: UNet2DConfiguration
    ) throws {
        resnet = try ResnetBlock2D(
            weights / "resnets" / index, from: inputs, to: outputs, configuration)
        attention =
            hasAttention
            ? try SpatialAttention(
                weights / "attentions" / index, channels: outputs,
                heads: configuration.heads(channels: outputs), groups: configuration.normNumGroups,
                epsilon: configuration.normEps) : nil
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`.
    func callAsFunction(_ x: Tensor, time: Tensor) throws -> Tensor {
        let hidden = try resnet(x, time: time)
        return try attention?(hidden) ?? hidden
    }
}

/// Layers, then half the height and width. Answers to diffusers' `DownBlock2D`, `AttnDownBlock2D` and
/// `ResnetDownsampleBlock2D`.
struct UNet2DDownBlock {
    private enum Downsampler {
        case convolution(Downsample2D)
        case resnet(ResnetBlock2D)
    }

    private let layers: [UNet2DLayer]
    private let downsampler: Downsampler?

    init(_ weights: Weights, level: Int, _ configuration: UNet2DConfiguration) throws {
        let widths = configuration.blockOutChannels
        let block = configuration.downBlocks[level]
        let outputs = widths[level]
        let inputs = widths[max(level - 1, 0)]
        layers = try (0..<configuration.layersPerBlock).map { index in
            try UNet2DLayer(
                weights, index, from: index == 0 ? inputs : outputs, to: outputs,
                hasAttention: block.hasAttention, configuration)
        }
        let sampler = weights / "downsamplers" / 0
        if level == widths.count - 1 {
            downsampler = nil
        } else if block.resizesInResnet {
            downsampler = .resnet(
                try ResnetBlock2D(
                    sampler, from: outputs, to: outputs, resizing: .halved, configuration))
        } else {
            downsampler = .convolution(
                try Downsample2D(
                    sampler, channels: outputs, padding: configuration.downsamplePadding))
        }
    }

    /// The block's result; every feature map on the way is added to `skips`.
    func callAsFunction(_ x: Tensor, time: Tensor, skips: inout [Tensor]) throws -> Tensor {
        var hidden = x
        for layer in layers {
            hidden = try layer(hidden, time: time)
            skips.append(hidden)
        }
        switch downsampler {
        case .convolution(let downsample): hidden = try downsample(hidden)
        case .resnet(let resnet): hidden = try resnet(hidden, time: time)
        case nil: return hidden
        }
        skips.append(hidden)
        return hidden
    }
}

/// Attention, if the model has it there, between two residual blocks. Answers to diffusers'
/// `UNetMidBlock2D`.
struct UNet2DMidBlock {
    private let first: ResnetBlock2D
    private let attention: SpatialAttention?
    private let second: ResnetBlock2D

    init(_ weights: Weights, _ configuration: UNet2DConfiguration) throws {
        let channels = configuration.lastWidth
        let scale = configuration.midBlockScaleFactor
        first = try ResnetBlock2D(
            weights / "resnets" / 0, from: channels, to: channels, outputScale: scale, configuration
        )
        attention =
            configuration.addAttention
            ? try SpatialAttention(
                weights / "attentions" / 0, channels: channels,
                heads: configuration.heads(channels: channels),
                groups: configuration.middleAttentionGroups, epsilon: configuration.normEps,
                outputScale: scale) : nil
        second = try ResnetBlock2D(
            weights / "resnets" / 1, from: channels, to: channels, outputScale: scale, configuration
        )
    }

    /// `[N, channels, H, W]` to the same shape.
    func callAsFunction(_ x: Tensor, time: Tensor) throws -> Tensor {
        let hidden = try first(x, time: time)
        return try second(attention?(hidden) ?? hidden, time: time)
    }
}

/// Layers that take the feature maps of the way down beside their input, then twice the height and
/// width. Answers to diffusers' `UpBlock2D`, `AttnUpBlock2D` and `ResnetUpsampleBlock2D`.
struct UNet2DUpBlock {
    private enum Upsampler {
        case convolution(Upsample2D)
        case resnet(ResnetBlock2D)
    }

    private let layers: [UNet2DLayer]
    private let upsampler: Upsampler?

    /// - Parameter index: the block's place on the way up, from the narrowest.
    init(_ weights: Weights, index: Int, _ configuration: UNet2DConfiguration) throws {
        let widths = configuration.blockOutChannels
        let block = configuration.upBlocks[index]
        let level = widths.count - 1 - index
        let outputs = widths[level]
        let previous = widths[min(level + 1, widths.count - 1)]
        // The last layer's skip comes from before this level's blocks on the way down.
        let below = widths[max(level - 1, 0)]
        let count = configuration.layersPerBlock + 1
        layers = try (0..<count).map { layer in
            let skip = layer == count - 1 ? below : outputs
            let inputs = layer == 0 ? previous : outputs
            return try UNet2DLayer(
                weights, layer, from: inputs + skip, to: outputs, hasAttention: block.hasAttention,
                configuration)
        }
        let sampler = weights / "upsamplers" / 0
        if level == 0 {
            upsampler = nil
        } else if block.resizesInResnet {
            upsampler = .resnet(
                try ResnetBlock2D(
                    sampler, from: outputs, to: outputs, resizing: .doubled, configuration))
        } else {
            upsampler = .convolution(try Upsample2D(sampler, channels: outputs))
        }
    }

    /// The block's result; its feature maps of the way down are taken off the end of `skips`.
    func callAsFunction(_ x: Tensor, time: Tensor, skips: inout [Tensor]) throws -> Tensor {
        var hidden = x
        for layer in layers {
            guard let skip = skips.popLast() else {
                throw TorchError.invalidArgument("The UNet's ways down and up differ in length.")
            }
            hidden = try layer(.concatenated([hidden, skip], dimension: 1), time: time)
        }
        return switch upsampler {
        case .convolution(let upsample): try upsample(hidden)
        case .resnet(let resnet): try resnet(hidden, time: time)
        case nil: hidden
        }
    }
}

extension ResnetBlock2D {
    /// A residual block as the model's configuration has it.
    fileprivate init(
        _ weights: Weights, from inputs: Int, to outputs: Int, resizing: Resizing? = nil,
        outputScale: Double = 1, _ configuration: UNet2DConfiguration
    ) throws {
        try self.init(
            weights, from: inputs, to: outputs, timeChannels: configuration.timeEmbeddingSize,
            timeScales: configuration.resnetTimeScaleShift == .scaleShift,
            groups: configuration.normNumGroups, epsilon: configuration.normEps,
            resizing: resizing, outputScale: outputScale)
    }
}
