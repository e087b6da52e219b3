import Checkpoints
import Torch

/// The narrowest part of encoder and decoder: attention between two residual blocks.
///
/// Answers to diffusers' `UNetMidBlock2D`.
struct AutoencoderMidBlock {
    private let first: ResnetBlock2D
    private let attention: SpatialAttention?
    private let second: ResnetBlock2D

    init(_ weights: Weights, channels: Int, configuration: AutoencoderKLConfiguration) throws {
        let groups = configuration.normNumGroups
        let epsilon = AutoencoderKL.normEpsilon
        let resnets = weights / "resnets"
        first = try ResnetBlock2D(
            resnets / "0", from: channels, to: channels, groups: groups, epsilon: epsilon)
        attention =
            configuration.midBlockAddAttention
            ? try SpatialAttention(
                weights / "attentions" / "0", channels: channels, groups: groups, epsilon: epsilon)
            : nil
        second = try ResnetBlock2D(
            resnets / "1", from: channels, to: channels, groups: groups, epsilon: epsilon)
    }

    /// `[N, channels, H, W]` to the same shape.
    func callAsFunction(_ x: consuming Tensor) throws -> Tensor {
        var hidden = try first(consume x)
        if let attention { hidden = try attention(hidden) }
        return try second(consume hidden)
    }
}
