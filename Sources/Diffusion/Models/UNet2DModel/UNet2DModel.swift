import Checkpoints
import Torch
import TorchNN

/// Predicts the noise in noised pictures, given the timestep (Ho, Jain and Abbeel, 2020).
///
/// Answers to diffusers' `UNet2DModel`, without conditions.
public final class UNet2DModel {
    public let configuration: UNet2DConfiguration
    /// What it runs in, where, and by which libtorch.
    public let dtype: DType
    public let device: Device
    public let library: LibTorch
    private let convIn: Conv2d
    private let timeEmbedding: TimestepEmbedding
    private let downBlocks: [UNet2DDownBlock]
    private let midBlock: UNet2DMidBlock?
    private let upBlocks: [UNet2DUpBlock]
    private let normOut: GroupNorm
    private let convOut: Conv2d
    /// One step's feature maps lie where the last one's lay.
    private let memory = ReusedMemory()

    /// - Parameters:
    ///   - weights: named as in diffusers.
    ///   - configuration: says which shapes they have.
    ///   - library: that their tensors are of.
    /// - Throws: `ConfigurationError` if there is no such model; `CheckpointError` if a tensor is
    ///   missing, unknown, or of another shape than configured.
    public init(_ weights: Weights, configuration: UNet2DConfiguration, in library: LibTorch)
        throws
    {
        try configuration.check()
        self.configuration = configuration
        dtype = weights.dtype
        device = weights.device
        self.library = library
        let width = configuration.firstWidth
        let levels = configuration.blockOutChannels.indices
        convIn = try Conv2d(
            weights / "conv_in", from: configuration.inChannels, to: width, kernel: 3, padding: 1)
        timeEmbedding = try TimestepEmbedding(
            weights / "time_embedding", channels: width, size: configuration.timeEmbeddingSize,
            flipsSinToCos: configuration.flipSinToCos, frequencyShift: configuration.freqShift,
            in: library)
        downBlocks = try levels.map {
            try UNet2DDownBlock(weights / "down_blocks" / $0, level: $0, configuration)
        }
        midBlock =
            configuration.midBlockType == nil
            ? nil : try UNet2DMidBlock(weights / "mid_block", configuration)
        upBlocks = try levels.map {
            try UNet2DUpBlock(weights / "up_blocks" / $0, index: $0, configuration)
        }
        normOut = try GroupNorm(
            weights / "conv_norm_out", channels: width, groups: configuration.normNumGroups,
            epsilon: configuration.normEps)
        convOut = try Conv2d(
            weights / "conv_out", from: width, to: configuration.outChannels, kernel: 3, padding: 1)
        try weights.finish()
    }

    /// Whether a shape is what the model takes: `[N, in channels, H, W]`, of sizes that can be halved at
    /// every level.
    /// - Throws: `TorchError.invalidArgument` that names the argument as in Python.
    public func check(sample: [Int]) throws {
        let channels = configuration.inChannels
        let multiple = configuration.sizeMultiple
        guard sample.count == 4, sample[1] == channels, !sample.contains(0),
            sample[2] % multiple == 0, sample[3] % multiple == 0
        else {
            throw TorchError.invalidArgument(
                """
                sample: the shape is \(sample); [N, \(channels), H, W] is needed, with H and W \
                positive multiples of \(multiple).
                """)
        }
    }

    /// - Parameters:
    ///   - sample: noised pictures, `[N, in channels, H, W]`.
    ///   - timestep: of all of them, 0 up to the number of training timesteps.
    /// - Returns: `[N, out channels, H, W]`: noise, velocity or sample, as the model was trained.
    /// - Throws: `TorchError.invalidArgument` if the shape is none that the model takes.
    public func callAsFunction(_ sample: Tensor, timestep: Double) throws -> Tensor {
        try check(sample: sample.shape)
        return try memory.scope {
            try predict(sample, time: timeEmbedding(timestep)).contiguous()
        }
    }

    /// The same with a timestep for each sample, as training has it.
    ///
    /// - Parameters:
    ///   - sample: noised pictures, `[N, in channels, H, W]`.
    ///   - timesteps: N numbers of 0 up to the number of training timesteps.
    /// - Returns: `[N, out channels, H, W]`: noise, velocity or sample, as the model was trained.
    /// - Throws: `TorchError.invalidArgument` if the shape is none that the model takes, or if there is
    ///   not one timestep for each sample.
    public func callAsFunction(_ sample: Tensor, timesteps: [Int]) throws -> Tensor {
        try check(sample: sample.shape)
        try sample.checkOneEach(timesteps)
        return try memory.scope {
            try predict(sample, time: timeEmbedding(timesteps)).contiguous()
        }
    }

    /// - Parameter time: its embedding, `[1 or N, size]`.
    private func predict(_ sample: Tensor, time: Tensor) throws -> Tensor {
        var hidden = try convIn(configuration.centerInputSample ? 2 * sample - 1 : sample)
        var skips = [hidden]
        for block in downBlocks { hidden = try block(hidden, time: time, skips: &skips) }
        hidden = try midBlock?(hidden, time: time) ?? hidden
        for block in upBlocks { hidden = try block(hidden, time: time, skips: &skips) }
        return try convOut(normOut.silu(hidden))
    }
}
