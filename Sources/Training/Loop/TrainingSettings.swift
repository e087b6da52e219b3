import Imaging
import Torch

/// How a model is trained, whatever it is trained for.
public struct TrainingSettings: Codable, Equatable, Sendable {
    /// Updates of the parameters.
    public var steps = 10_000
    /// Pictures whose loss is computed at once.
    public var batchSize = 16
    /// Batches whose gradients are averaged for one step, so that it sees `batchSize` times as many
    /// pictures in the memory of one batch.
    public var gradientAccumulationSteps = 1

    /// α of AdamW at its highest.
    public var learningRate = 1e-4
    /// How it falls after the warm-up.
    public var schedule = Schedule.cosine
    /// Steps over which it grows from 0.
    public var warmupSteps = 500
    /// β₁ of AdamW.
    public var beta1 = 0.9
    /// β₂ of AdamW.
    public var beta2 = 0.999
    /// λ of AdamW.
    public var weightDecay = 1e-2
    /// The length that gradients together may have; nil for any.
    public var maxGradientNorm: Double? = 1.0
    /// The most that stays of the average of the parameters at a step; nil to keep no average. Samples and
    /// the saved model are of the average.
    public var averageDecay: Double? = 0.9999

    /// Of the order of the pictures, the noise, and all else that is drawn.
    public var seed: UInt64 = 0
    /// Width and height in pixels that pictures are brought to.
    public var size = [64, 64]
    /// How a picture of another shape is.
    public var fit = PictureFit.crop
    /// Whether every second picture, at random, is seen in a mirror.
    public var flips = false

    /// Steps between checkpoints.
    public var saveEvery = 500
    /// How many checkpoints are kept, the newest.
    public var checkpointsKept = 2
    /// Steps between sheets of samples; 0 for none.
    public var sampleEvery = 500
    /// Pictures on such a sheet.
    public var sampleCount = 16

    /// How the learning rate falls after the warm-up.
    public enum Schedule: String, Codable, Sendable, CaseIterable {
        /// Not at all.
        case constant
        /// In a line, to 0 at the last step.
        case linear
        /// As a cosine's first half, to 0 at the last step.
        case cosine
    }

    public init() {}

    /// Pictures that one step sees.
    public var picturesPerStep: Int { batchSize * gradientAccumulationSteps }

    /// - Throws: `TrainingError.invalidArgument` that names the setting as in Python.
    public func check() throws {
        for (name, value, range) in [
            ("steps", steps, 1...100_000_000), ("batch_size", batchSize, 1...100_000),
            ("gradient_accumulation_steps", gradientAccumulationSteps, 1...100_000),
            ("warmup_steps", warmupSteps, 0...100_000_000),
            ("save_every", saveEvery, 1...100_000_000),
            ("checkpoints_kept", checkpointsKept, 1...100_000_000),
            ("sample_every", sampleEvery, 0...100_000_000),
            ("sample_count", sampleCount, 1...1024),
        ] where !range.contains(value) {
            throw TrainingError.invalidArgument(
                name: name,
                reason: "\(value) is not between \(range.lowerBound) and \(range.upperBound).")
        }
        guard learningRate > 0, learningRate.isFinite else {
            throw TrainingError.invalidArgument(
                name: "learning_rate", reason: "\(learningRate) is no number above 0.")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw TrainingError.invalidArgument(
                name: "weight_decay", reason: "\(weightDecay) is no number from 0 on.")
        }
        for (name, value) in [("beta1", beta1), ("beta2", beta2), ("average_decay", averageDecay)] {
            guard let value, !(0..<1).contains(value) else { continue }
            throw TrainingError.invalidArgument(
                name: name, reason: "\(value) is not between 0 and 1, without 1.")
        }
        if let norm = maxGradientNorm, !(norm > 0 && norm.isFinite) {
            throw TrainingError.invalidArgument(
                name: "max_gradient_norm", reason: "\(norm) is no number above 0.")
        }
        guard size.count == 2, size.allSatisfy((1...8192).contains) else {
            throw TrainingError.invalidArgument(
                name: "resolution",
                reason: """
                    \(size.map(String.init).joined(separator: " by ")) is no width and height of pictures; both \
                    have to be between 1 and 8192.
                    """)
        }
    }

    /// What the learning rate is multiplied with at each step.
    public var learningRateSchedule: LearningRateSchedule {
        switch schedule {
        case .constant: .constantWithWarmup(steps: warmupSteps)
        case .linear: .linearWithWarmup(warmup: warmupSteps, total: steps)
        case .cosine: .cosineWithWarmup(warmup: warmupSteps, total: steps)
        }
    }

    /// The size that pictures are brought to; `check` has passed.
    public var pixelSize: PixelSize {
        PixelSize(width: size.first ?? 0, height: size.last ?? 0)
    }
}
