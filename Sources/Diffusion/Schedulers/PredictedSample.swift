import Torch

// x_0 and ε from each other and from what a model predicts, as x_t = signal · x_0 + noise · ε.

extension PredictionType {
    /// The clean sample x_0 that the model's output stands for.
    public func clean(from prediction: Tensor, sample: Tensor, shares: NoiseShares) throws -> Tensor
    {
        switch self {
        case .epsilon: try shares.clean(of: sample, epsilon: prediction)
        case .sample: prediction
        case .velocity: try shares.signal * sample - shares.noise * prediction
        }
    }

    /// The noise ε that the model's output stands for.
    public func epsilon(from prediction: Tensor, sample: Tensor, shares: NoiseShares) throws
        -> Tensor
    {
        switch self {
        case .epsilon: prediction
        case .sample: try shares.epsilon(of: sample, clean: prediction)
        case .velocity: try shares.signal * prediction + shares.noise * sample
        }
    }
}

extension NoiseShares {
    /// √ᾱ_t and √(1 - ᾱ_t), in float32 as the reference takes them (Ho et al., 2020, eq. 4).
    init(alphaCumprod: Float) {
        self.init(
            signal: Double(alphaCumprod.squareRoot()),
            noise: Double((1 - alphaCumprod).squareRoot())
        )
    }

    /// x_0 of a sample whose noise is known.
    func clean(of sample: Tensor, epsilon: Tensor) throws -> Tensor {
        try (sample - noise * epsilon) / signal
    }

    /// ε of a sample whose clean sample is known.
    func epsilon(of sample: Tensor, clean: Tensor) throws -> Tensor {
        try (sample - signal * clean) / noise
    }
}
