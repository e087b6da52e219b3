/// What a model was trained to predict.
public enum PredictionType: String, Sendable, CaseIterable {
    /// The noise ε (Ho et al., 2020).
    case epsilon
    /// The clean sample x_0.
    case sample
    /// v = √ᾱ ε - √(1-ᾱ) x_0 (Salimans and Ho, 2022, appendix D).
    case velocity = "v_prediction"
}
