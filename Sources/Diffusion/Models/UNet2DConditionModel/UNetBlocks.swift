import Checkpoints
import Torch
import TorchNN

/// What every block of the UNet gets besides the feature map.
struct UNetConditioning {
    /// The time embedding, `[1, size]`, or `[N, size]` where samples differ in their timesteps.
    let time: Tensor
    /// The prompt, `[N, tokens, size]`.
    let context: Tensor
}

/// A residual block and, where the level has attention, a transformer.
struct UNetLayer {
    private let resnet: ResnetBlock2D
    private let attention: Transformer2DModel?

    /// - Parameters:
    ///   - weights: those of the block that the layer is in.
    ///   - index: the layer's place in the block.
    init(
        _ weights: Weights, _ index: Int, from inputs: Int, to outputs: Int,
        attention shape: Transformer2DModel.Shape?, _ configuration: UNet2DConditionConfiguration
    ) throws {
        resnet = try ResnetBlock2D(
            weights / "resnets" / index, from: inputs, to: outputs,
            timeChannels: configuration.timeEmbeddingSize, groups: configuration.normNumGroups,
            epsilon: configuration.normEps)
        attention = try shape.map { try Transformer2DModel(weights / "attentions" / index, $0) }
    }

    func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        let hidden = try resnet(x, time: conditioning.time)
        return try attention?(hidden, context: conditioning.context) ?? hidden
    }
}

/// Layers, then half the height and width. Answers to diffusers' `CrossAttnDownBlock2D` and `DownBlock2D`.
struct UNetDownBlock {
    private let layers: [UNetLayer]
    private let downsampler: Downsample2D?

    init(_ weights: Weights, level: Int, _ configuration: UNet2DConditionConfiguration) throws {
        let widths = configuration.blockOutChannels
        let outputs = widths[level]
        let inputs = widths[max(level - 1, 0)]
        let shape =
            configuration.downBlocks[level].hasAttention
            ? configuration.transformer(level: level) : nil
        layers = try (0..<configuration.layersPerBlock[level]).map { index in
            try UNetLayer(
                weights, index, from: index == 0 ? inputs : outputs, to: outputs, attention: shape,
                configuration)
        }
        downsampler =
            level < widths.count - 1
            ? try Downsample2D(
                weights / "downsamplers" / 0, channels: outputs,
                padding: configuration.downsamplePadding) : nil
    }

    /// The block's result; every feature map on the way is added to `skips`.
    func callAsFunction(
        _ x: Tensor, _ conditioning: UNetConditioning, skips: inout [Tensor]
    ) throws -> Tensor {
        var hidden = x
        for layer in layers {
            hidden = try layer(hidden, conditioning)
            skips.append(hidden)
        }
        if let downsampler {
            hidden = try downsampler(hidden)
            skips.append(hidden)
        }
        return hidden
    }
}

/// Attention between two residual blocks. Answers to diffusers' `UNetMidBlock2DCrossAttn`.
struct UNetMidBlock {
    private let first: UNetLayer
    private let second: UNetLayer

    init(_ weights: Weights, _ configuration: UNet2DConditionConfiguration) throws {
        let level = configuration.blockOutChannels.count - 1
        let channels = configuration.blockOutChannels[level]
        let shape = configuration.transformer(level: level, inMiddle: true)
        first = try UNetLayer(
            weights, 0, from: channels, to: channels, attention: shape, configuration)
        second = try UNetLayer(
            weights, 1, from: channels, to: channels, attention: nil, configuration)
    }

    func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try second(first(x, conditioning), conditioning)
    }
}

/// Layers that take the feature maps of the way down beside their input, then twice the height and
/// width. Answers to diffusers' `CrossAttnUpBlock2D` and `UpBlock2D`.
struct UNetUpBlock {
    private let layers: [UNetLayer]
    private let upsampler: Upsample2D?

    /// - Parameter index: the block's place on the way up, from the narrowest.
    init(_ weights: Weights, index: Int, _ configuration: UNet2DConditionConfiguration) throws {
        let widths = configuration.blockOutChannels
        let level = widths.count - 1 - index
        let outputs = widths[level]
        let previous = widths[min(level + 1, widths.count - 1)]
        // The last layer's skip comes from before this level's blocks on the way down.
        let below = widths[max(level - 1, 0)]
        let shape =
            configuration.upBlocks[index].hasAttention
            ? configuration.transformer(level: level) : nil
        let count = configuration.layersPerBlock[level] + 1
        layers = try (0..<count).map { layer in
            let skip = layer == count - 1 ? below : outputs
            let inputs = layer == 0 ? previous : outputs
            return try UNetLayer(
                weights, layer, from: inputs + skip, to: outputs, attention: shape, configuration)
        }
        upsampler = level > 0 ? try Upsample2D(weights / "upsamplers" / 0, channels: outputs) : nil
    }

    /// The block's result; its feature maps of the way down are taken off the end of `skips`.
    func callAsFunction(
        _ x: Tensor, _ conditioning: UNetConditioning, skips: inout [Tensor]
    ) throws -> Tensor {
        var hidden = x
        for layer in layers {
            guard let skip = skips.popLast() else {
                throw TorchError.invalidArgument("The UNet's ways down and up differ in length.")
            }
            hidden = try layer(.concatenated([hidden, skip], dimension: 1), conditioning)
        }
        guard let upsampler else { return hidden }
        // An odd size was rounded up when it was halved; the next skip tells what it was.
        let size = skips.last.map { (height: $0.shape[2], width: $0.shape[3]) }
        return try upsampler(hidden, size: size)
    }
}
