import Torch

/// Whatever is drawn for one micro-batch: a function of the run's seed and of the micro-batch's place in
/// the run alone. So a run that goes on from a checkpoint draws what it would have drawn without a break.
public struct TrainingRandomness: Sendable {
    /// Of the run.
    public let seed: UInt64
    /// Of the optimiser, counted from 1.
    public let step: Int
    /// Of those whose gradients are accumulated for the step, counted from 0.
    public let microBatch: Int

    public init(seed: UInt64, step: Int, microBatch: Int = 0) {
        self.seed = seed
        self.step = step
        self.microBatch = microBatch
    }

    /// What a draw is for: draws for different ends do not depend on each other.
    public enum Purpose: UInt64, Sendable {
        /// Noise that is added to a sample.
        case noise
        /// How much of it.
        case timesteps
        /// A draw from an encoder's distribution.
        case posterior
        /// Which conditions the model is not to see.
        case dropout
        /// Which part of a picture is taken.
        case crop
    }

    /// A generator for choices.
    public func choices(for purpose: Purpose) -> SplitMix64 {
        SplitMix64(
            seed: seed, for: UInt64(bitPattern: Int64(step)),
            UInt64(bitPattern: Int64(microBatch)), purpose.rawValue)
    }

    /// Standard normals, float32 on the CPU.
    public func normal(
        _ shape: [Int], for purpose: Purpose = .noise, in library: LibTorch
    ) throws -> Tensor {
        var generator = choices(for: purpose)
        return try NoiseGenerator(seed: generator.next()).normal(shape, in: library)
    }

    /// One timestep for each sample, from 0 to `limit` - 1, each equally likely.
    public func timesteps(_ count: Int, below limit: Int) -> [Int] {
        var generator = choices(for: .timesteps)
        return (0..<count).map { _ in generator.below(limit) }
    }

    /// For each sample whether it happens to it, with that probability.
    public func chances(_ count: Int, of probability: Double, for purpose: Purpose) -> [Bool] {
        var generator = choices(for: purpose)
        return (0..<count).map { _ in generator.unit() < probability }
    }
}
