import Checkpoints
import Torch

/// The narrowest part of encoder and decoder: attention between two residual blocks.
///
/// Answers to diffusers' `UNetMidBlock2D`.
struct AutoencoderMidBlock {
    private let weights: Weights
    private let first: ResnetBlock2D
    private let attention: SpatialAttention?
    private let second: ResnetBlock2D

    init(_ weights: Weights, channels: Int, configuration: AutoencoderKLConfiguration) throws {
        self.weights = weights
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
    ///
    /// - Parameter makesRoom: whether pages of weights are given back as soon as these have served.
    func callAsFunction(_ x: consuming Tensor, makesRoom: Bool) throws -> Tensor {
        var hidden = try first(consume x)
        if let attention { hidden = try attention(hidden) }
        if makesRoom { try weights.giveBackPages() }
        hidden = try second(consume hidden)
        if makesRoom { try weights.giveBackPages() }
        return hidden
    }
}
