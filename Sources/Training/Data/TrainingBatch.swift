import Torch

/// The samples whose loss is computed at once.
public struct TrainingBatch {
    /// Where they come from.
    public let data: TrainingData
    /// Which they are; an objective may keep what it computes of each, by them.
    public let samples: [TrainingSample]

    public init(_ samples: [TrainingSample], of data: TrainingData) {
        self.data = data
        self.samples = samples
    }

    /// Number of samples.
    public var count: Int { samples.count }

    /// The pictures: `[N, 3, H, W]` in [-1, 1], float32 on the CPU.
    public func pixels(in library: LibTorch) throws -> Tensor {
        try data.pixels(of: samples, in: library)
    }

    /// What they show; empty texts if the pictures have no captions.
    public var captions: [String] { data.captions(of: samples) }
}
