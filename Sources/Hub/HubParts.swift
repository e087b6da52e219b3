/// What of a model to fetch.
public enum HubParts: Sendable, Equatable, CaseIterable {
    /// `vae` alone: enough for latents of pictures and back.
    case autoencoder
    /// Every component that `model_index.json` names but the safety checker.
    case wholeModel
    /// The safety checker as well, which text to picture uses.
    case wholeModelWithSafetyChecker
}
