import FoundationEssentials

/// Where each part of a Stable Diffusion model lies.
///
/// Autoencoder, text encoder, UNet and scheduler may each lie in a single file in the layout of the
/// original Stable Diffusion (`.safetensors`, `.ckpt`) instead of a folder: then the path is the file's.
/// The scheduler is no part of such a file; its settings follow from the kind of model.
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

    /// A folder in the diffusers layout: `vae`, `tokenizer`, `text_encoder`, `unet`, `scheduler`,
    /// `safety_checker` and `feature_extractor` in one folder. Those that are never used may be missing.
    ///
    /// Where the path is a file's, as `init(checkpoint:tokenizer:)` without a tokenizer.
    public init(model path: String) {
        self.init(path, isFile: Self.isFile(path))
    }

    /// A single file in the layout of the original Stable Diffusion.
    /// - Parameters:
    ///   - path: the file's.
    ///   - tokenizer: a folder. Such a file holds none; without one no prompt can be read.
    public init(checkpoint path: String, tokenizer: String? = nil) {
        self.init(path, isFile: true)
        if let tokenizer { self.tokenizer = tokenizer }
    }

    private init(_ path: String, isFile: Bool) {
        autoencoder = isFile ? path : "\(path)/vae"
        // Of a file too, so that whoever needs the tokenizer notices that there is none.
        tokenizer = isFile ? path : "\(path)/tokenizer"
        textEncoder = isFile ? path : "\(path)/text_encoder"
        unet = isFile ? path : "\(path)/unet"
        scheduler = isFile ? path : "\(path)/scheduler"
        // Nothing is under a file, so it comes without these.
        safetyChecker = "\(path)/safety_checker"
        featureExtractor = "\(path)/feature_extractor"
        index = "\(path)/model_index.json"
    }

    /// Whether a folder is there.
    package static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    /// Whether a path is that of a file: of one that is there, or that its name says should be.
    static func isFile(_ path: String) -> Bool {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) { return !isFolder }
        return path.hasSuffix(".safetensors") || path.hasSuffix(".ckpt")
    }
}
