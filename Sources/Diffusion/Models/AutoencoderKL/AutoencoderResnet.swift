import Checkpoints
import Torch

/// A residual block of the autoencoder, whose weights can make room for feature maps when they have served.
struct AutoencoderResnet {
    private let weights: Weights
    private let block: ResnetBlock2D

    init(
        _ weights: Weights, from inputs: Int, to outputs: Int,
        _ configuration: AutoencoderKLConfiguration
    ) throws {
        self.weights = weights
        block = try ResnetBlock2D(
            weights, from: inputs, to: outputs, groups: configuration.normNumGroups,
            epsilon: AutoencoderKL.normEpsilon)
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`.
    ///
    /// - Parameter makesRoom: whether the pages of the weights are given back afterwards.
    func callAsFunction(_ x: consuming Tensor, makesRoom: Bool) throws -> Tensor {
        let hidden = try block(consume x)
        if makesRoom { try weights.giveBackPages() }
        return hidden
    }
}
