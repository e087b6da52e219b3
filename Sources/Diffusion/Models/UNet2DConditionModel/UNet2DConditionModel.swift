import Checkpoints
import Torch
import TorchNN

/// Predicts the noise in noised latents, given the timestep and the prompt (Rombach et al., 2022).
///
/// Answers to diffusers' `UNet2DConditionModel` in the Stable Diffusion 1.x and 2.x families.
public final class UNet2DConditionModel {
    public let configuration: UNet2DConditionConfiguration
    private let convIn: Conv2d
    private let timeEmbedding: TimestepEmbedding
    private let downBlocks: [UNetDownBlock]
    private let midBlock: UNetMidBlock
    /// Those of the middle, and of the widest layers after it.
    private let deepWeights: [[Weights]]
    private let upBlocks: [UNetUpBlock]
    private let normOut: GroupNorm
    private let convOut: Conv2d
    /// One step's feature maps lie where the last one's lay.
    private let memory = ReusedMemory()

    /// - Parameters:
    ///   - weights: named as in diffusers.
    ///   - configuration: says which shapes they have.
    ///   - library: that their tensors are of.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public init(
        _ weights: Weights, configuration: UNet2DConditionConfiguration, in library: LibTorch
    ) throws {
        self.configuration = configuration
        let width = configuration.firstWidth
        let levels = configuration.blockOutChannels.indices
        convIn = try Conv2d(
            weights / "conv_in", from: configuration.inChannels, to: width, kernel: 3, padding: 1)
        timeEmbedding = try TimestepEmbedding(
            weights / "time_embedding", channels: width, size: configuration.timeEmbeddingSize,
            flipsSinToCos: configuration.flipSinToCos, frequencyShift: configuration.freqShift,
            in: library)
        downBlocks = try levels.map {
            try UNetDownBlock(weights / "down_blocks" / $0, level: $0, configuration)
        }
        let widest = weights / "up_blocks" / 0 / "resnets"
        deepWeights = [[weights / "mid_block"], [widest / 0, widest / 1]]
        midBlock = try UNetMidBlock(weights / "mid_block", configuration)
        upBlocks = try levels.map {
            try UNetUpBlock(weights / "up_blocks" / $0, index: $0, configuration)
        }
        normOut = try GroupNorm(
            weights / "conv_norm_out", channels: width, groups: configuration.normNumGroups,
            epsilon: configuration.normEps)
        convOut = try Conv2d(
            weights / "conv_out", from: width, to: configuration.outChannels, kernel: 3, padding: 1)
        try weights.finish()
    }

    /// Whether shapes are what the model takes: `[N, in channels, H, W]` and `[N, tokens, cross attention
    /// size]`.
    /// - Throws: `TorchError.invalidArgument` that names the argument as in Python.
    public func check(sample: [Int], context: [Int]) throws {
        let channels = configuration.inChannels
        guard sample.count == 4, sample[1] == channels, !sample.contains(0) else {
            throw TorchError.invalidArgument(
                "sample: the shape is \(sample); [N, \(channels), H, W] is needed, with no side of 0."
            )
        }
        let sizes = configuration.crossAttentionDim.values
        guard context.count == 3, context[0] == sample[0], context[1] > 0,
            sizes.allSatisfy({ $0 == context[2] })
        else {
            throw TorchError.invalidArgument(
                """
                encoder_hidden_states: the shape is \(context); [\(sample[0]), tokens, \
                \(sizes.first ?? 0)] is needed for samples of shape \(sample).
                """)
        }
    }

    /// - Parameters:
    ///   - latents: `[N, in channels, H, W]`.
    ///   - timestep: 0 up to the number of training timesteps.
    ///   - context: the prompt's hidden states, `[N, tokens, cross attention size]`.
    /// - Returns: `[N, out channels, H, W]`: noise, velocity or sample, as the model was trained.
    public func callAsFunction(_ latents: Tensor, timestep: Double, context: Tensor) throws
        -> Tensor
    {
        try memory.scope {
            try predict(latents, time: timeEmbedding(timestep), context: context).contiguous()
        }
    }

    /// The same with a timestep for each sample, as training has it.
    ///
    /// - Parameters:
    ///   - latents: `[N, in channels, H, W]`.
    ///   - timesteps: N numbers of 0 up to the number of training timesteps.
    ///   - context: the prompts' hidden states, `[N, tokens, cross attention size]`.
    /// - Returns: `[N, out channels, H, W]`: noise, velocity or sample, as the model was trained.
    /// - Throws: `TorchError.invalidArgument` if there is not one timestep for each sample.
    public func callAsFunction(_ latents: Tensor, timesteps: [Int], context: Tensor) throws
        -> Tensor
    {
        try latents.checkOneEach(timesteps)
        return try memory.scope {
            try predict(latents, time: timeEmbedding(timesteps), context: context).contiguous()
        }
    }

    /// - Parameter time: its embedding, `[1 or N, size]`.
    private func predict(_ latents: Tensor, time: Tensor, context: Tensor) throws -> Tensor {
        let conditioning = UNetConditioning(time: time, context: context)
        var hidden = try convIn(latents)
        var skips = [hidden]
        for block in downBlocks { hidden = try block(hidden, conditioning, skips: &skips) }
        hidden = try midBlock(hidden, conditioning)
        for (index, block) in upBlocks.enumerated() {
            // A fifth of the weights, used in a fraction of the time: without each other they make room, and
            // without both the widest feature maps have it. Reading them anew costs about a hundredth of a
            // step, unless that is very short.
            if index < deepWeights.count, latents.count >= 1 << 15 {
                for weights in deepWeights[index] { try weights.giveBackPages() }
            }
            hidden = try block(hidden, conditioning, skips: &skips)
        }
        return try convOut(normOut.silu(hidden))
    }
}
