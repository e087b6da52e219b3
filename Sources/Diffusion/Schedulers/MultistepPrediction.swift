import Torch

/// What a model was trained to predict, for solvers that know flows too.
public enum MultistepPrediction: String, Sendable, CaseIterable {
    case epsilon
    case sample
    case velocity = "v_prediction"
    /// ε - x_0, the velocity of a rectified flow (Liu et al., 2023).
    case flow = "flow_prediction"

    /// The clean sample x_0 that the model's output stands for.
    func clean(from prediction: Tensor, sample: Tensor, at level: NoiseLevel) throws -> Tensor {
        switch self {
        case .epsilon: try level.shares.clean(of: sample, epsilon: prediction)
        case .sample: prediction
        case .velocity:
            try PredictionType.velocity.clean(
                from: prediction, sample: sample, shares: level.shares)
        case .flow: try sample - Double(level.sigma) * prediction
        }
    }

    /// The noise ε that the model's output stands for.
    func epsilon(from prediction: Tensor, sample: Tensor, at level: NoiseLevel) throws -> Tensor {
        switch self {
        case .epsilon: prediction
        case .sample: try level.shares.epsilon(of: sample, clean: prediction)
        case .velocity:
            try PredictionType.velocity.epsilon(
                from: prediction, sample: sample, shares: level.shares)
        case .flow: try sample + Double(level.alpha) * prediction
        }
    }
}
