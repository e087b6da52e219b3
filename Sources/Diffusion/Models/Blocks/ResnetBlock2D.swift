import Checkpoints
import Torch
import TorchNN

/// Two convolutions, each after group normalisation and SiLU, beside a shortcut.
///
/// Answers to diffusers' `ResnetBlock2D` with `time_embedding_norm` "default" or "scale_shift".
struct ResnetBlock2D {
    /// How the size changes, before the first convolution and in the shortcut.
    enum Resizing {
        /// Each 2 × 2 elements become their mean.
        case halved
        /// Elements are repeated.
        case doubled
    }

    private let norm1: GroupNorm
    private let conv1: Conv2d
    private let timeProjection: Linear?
    private let timeScales: Bool
    private let norm2: GroupNorm
    private let conv2: Conv2d
    /// A 1×1 convolution where the number of channels changes.
    private let shortcut: Conv2d?
    private let resizing: Resizing?
    private let outputScale: Double

    /// - Parameters:
    ///   - timeChannels: size of the time embedding; nil for a block that knows no time.
    ///   - timeScales: whether the time embedding scales and shifts what the second normalisation gives,
    ///     rather than being added before it.
    ///   - outputScale: what the result is divided by.
    init(
        _ weights: Weights, from inputs: Int, to outputs: Int, timeChannels: Int? = nil,
        timeScales: Bool = false, groups: Int, epsilon: Double, resizing: Resizing? = nil,
        outputScale: Double = 1
    ) throws {
        norm1 = try GroupNorm(weights / "norm1", channels: inputs, groups: groups, epsilon: epsilon)
        conv1 = try Conv2d(weights / "conv1", from: inputs, to: outputs, kernel: 3, padding: 1)
        timeProjection = try timeChannels.map {
            try Linear(weights / "time_emb_proj", from: $0, to: timeScales ? 2 * outputs : outputs)
        }
        self.timeScales = timeScales
        norm2 = try GroupNorm(
            weights / "norm2", channels: outputs, groups: groups, epsilon: epsilon)
        conv2 = try Conv2d(weights / "conv2", from: outputs, to: outputs, kernel: 3, padding: 1)
        shortcut =
            inputs == outputs
            ? nil : try Conv2d(weights / "conv_shortcut", from: inputs, to: outputs, kernel: 1)
        self.resizing = resizing
        self.outputScale = outputScale
    }

    /// `[N, inputs, H, W]` to `[N, outputs, H, W]`, or to half or twice the size; `time` is
    /// `[1 or N, timeChannels]`.
    ///
    /// Who gives `x` away saves memory: the result takes its place, or it is freed on the way.
    func callAsFunction(_ x: consuming Tensor, time: Tensor? = nil) throws -> Tensor {
        let projected = try time.flatMap { time in try timeProjection?(time.silu()) }
        let offsets = timeScales ? nil : projected
        var hidden: Tensor
        if let resizing {
            hidden = try conv1(resizing(norm1(x).silu()))
            if let offsets { hidden = try hidden + Self.perChannel(offsets) }
            x = try resizing(x)
        } else {
            hidden = try conv1(norm1.silu(x), offsets: offsets)
        }
        if let shortcut { x = try shortcut(x) }
        let result =
            if timeScales, let projected {
                try conv2(scaled(norm2(hidden), by: projected).silu(), residual: consume x)
            } else {
                try conv2(norm2.silu(hidden), residual: consume x)
            }
        return try outputScale == 1 ? result : result / outputScale
    }

    /// A feature map scaled and shifted by the halves of `[1 or N, 2 outputs]`.
    private func scaled(_ x: Tensor, by projected: Tensor) throws -> Tensor {
        let parts = try Self.perChannel(projected).split(into: 2, dimension: 1)
        return try x * (parts[0] + 1) + parts[1]
    }

    /// `[N, C]` as `[N, C, 1, 1]`.
    private static func perChannel(_ x: Tensor) throws -> Tensor {
        try x.reshaped([x.shape[0], -1, 1, 1])
    }
}

extension ResnetBlock2D.Resizing {
    /// `[N, C, H, W]`, of even sizes to be halved, to half or twice of them.
    fileprivate func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (height, width) = (x.shape[2], x.shape[3])
        switch self {
        case .halved:
            return try x.reshaped([x.shape[0], x.shape[1], height / 2, 2, width / 2, 2])
                .mean(over: [3, 5])
        case .doubled:
            return try x.upsampledNearest(height: 2 * height, width: 2 * width)
        }
    }
}
