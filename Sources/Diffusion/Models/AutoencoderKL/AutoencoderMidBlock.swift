import Checkpoints
import Torch

/// The narrowest part of encoder and decoder: attention between two residual blocks.
///
/// Answers to diffusers' `UNetMidBlock2D`.
struct AutoencoderMidBlock {
    private let first: AutoencoderResnet
    private let attention: SpatialAttention?
    private let second: AutoencoderResnet

    init(_ weights: Weights, channels: Int, configuration: AutoencoderKLConfiguration) throws {
        let resnets = weights / "resnets"
        first = try AutoencoderResnet(resnets / "0", from: channels, to: channels, configuration)
        attention =
            configuration.midBlockAddAttention
            ? try SpatialAttention(
                weights / "attentions" / "0", channels: channels,
                groups: configuration.normNumGroups, epsilon: AutoencoderKL.normEpsilon)
            : nil
        second = try AutoencoderResnet(resnets / "1", from: channels, to: channels, configuration)
    }

    /// `[N, channels, H, W]` to the same shape.
    ///
    /// - Parameter makesRoom: whether pages of weights are given back as soon as a block has served.
    func callAsFunction(_ x: consuming Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = try first(consume x, makesRoom: makesRoom)
        if let attention { hidden = try attention(hidden) }
        return try second(consume hidden, makesRoom: makesRoom)
    }
}
