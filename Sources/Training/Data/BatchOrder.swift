import Torch

/// Which pictures come when: all of them once in each epoch, in an order that is drawn anew for each.
///
/// A function of the seed and the place alone. Batches go on over the end of an epoch, so that all have
/// the same size however few pictures there are.
public struct BatchOrder: Sendable {
    private let count: Int
    private let seed: UInt64
    private let flips: Bool
    /// The last epoch's, as one is used many times.
    private var epoch = -1
    private var permutation: [Int] = []

    /// - Parameters:
    ///   - count: of the pictures, at least 1.
    ///   - seed: of the run.
    ///   - flips: whether every second one, at random, is seen in a mirror.
    public init(count: Int, seed: UInt64, flips: Bool = false) {
        self.count = max(count, 1)
        self.seed = seed
        self.flips = flips
    }

    /// The samples from place `start` on, where the run's first has place 0.
    public mutating func samples(from start: Int, count: Int) -> [TrainingSample] {
        (start..<start + count).map { sample(at: $0) }
    }

    private mutating func sample(at place: Int) -> TrainingSample {
        if place / count != epoch {
            epoch = place / count
            permutation = Self.permutation(
                count, SplitMix64(seed: seed, for: 1, UInt64(bitPattern: Int64(epoch))))
        }
        var coin = SplitMix64(seed: seed, for: 2, UInt64(bitPattern: Int64(place)))
        return TrainingSample(
            index: permutation[place % count], isFlipped: flips && coin.below(2) == 1)
    }

    /// Fisher and Yates' shuffle, in Durstenfeld's form.
    private static func permutation(_ count: Int, _ generator: SplitMix64) -> [Int] {
        var generator = generator
        var order = Array(0..<count)
        for last in order.indices.reversed() {
            order.swapAt(last, generator.below(last + 1))
        }
        return order
    }
}

/// One picture as it is seen once.
public struct TrainingSample: Hashable, Sendable {
    /// Of the picture in `TrainingData.pictures`.
    public var index: Int
    /// Whether left and right are exchanged.
    public var isFlipped: Bool

    public init(index: Int, isFlipped: Bool = false) {
        self.index = index
        self.isFlipped = isFlipped
    }
}
