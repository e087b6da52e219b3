/// Where each part of a Stable Diffusion model lies.
public struct ComponentFolders: Equatable, Sendable {
    public var autoencoder: String
    public var tokenizer: String
    public var textEncoder: String
    public var unet: String
    public var scheduler: String
    public var safetyChecker: String
    public var featureExtractor: String
    /// The file that says of what parts the model consists.
    public var index: String

    /// The diffusers layout: `vae`, `tokenizer`, `text_encoder`, `unet`, `scheduler`, `safety_checker`
    /// and `feature_extractor` in one folder. Those that are never used may be missing.
    public init(model folder: String) {
        autoencoder = "\(folder)/vae"
        tokenizer = "\(folder)/tokenizer"
        textEncoder = "\(folder)/text_encoder"
        unet = "\(folder)/unet"
        scheduler = "\(folder)/scheduler"
        safetyChecker = "\(folder)/safety_checker"
        featureExtractor = "\(folder)/feature_extractor"
        index = "\(folder)/model_index.json"
    }
}
