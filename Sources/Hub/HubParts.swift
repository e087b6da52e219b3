/// What of a model to fetch.
public enum HubParts: Sendable, Equatable, CaseIterable {
    /// `vae` alone: enough for latents of pictures and back.
    case autoencoder
    /// Every component that `model_index.json` names, but for the safety checker, which nothing
    /// here uses.
    case wholeModel
    /// The safety checker as well, for other programs that use the same cache.
    case wholeModelWithSafetyChecker
}
