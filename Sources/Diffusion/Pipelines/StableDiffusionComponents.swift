import Checkpoints
import FoundationEssentials
import Torch

/// The parts of a Stable Diffusion model in the diffusers layout, each loaded when it is first used.
public final class StableDiffusionComponents {
    public let folder: String
    public let dtype: DType
    public let device: Device
    public let library: LibTorch

    private var loadedAutoencoder: AutoencoderKL?
    private var loadedTokenizer: CLIPTokenizer?
    private var loadedTextEncoder: CLIPTextModel?
    private var loadedUNet: UNet2DConditionModel?
    private var loadedScheduler: DDIMScheduler?
    private var loadedSafetyChecker: StableDiffusionSafetyChecker?
    private var loadedImageProcessorConfiguration: CLIPImageProcessorConfiguration?

    /// - Parameters:
    ///   - folder: with `vae`, `tokenizer`, `text_encoder`, `unet`, `scheduler`, `safety_checker` and
    ///     `feature_extractor` in it; those that are never used may be missing.
    ///   - dtype: that the models run in, whatever the files hold.
    public init(folder: String, dtype: DType, device: Device, in library: LibTorch) {
        self.folder = folder
        self.dtype = dtype
        self.device = device
        self.library = library
    }

    public var autoencoder: AutoencoderKL {
        get throws {
            try load(&loadedAutoencoder) {
                let configuration = try AutoencoderKLConfiguration(
                    path: "\(folder)/vae/config.json")
                return try AutoencoderKL(weights("vae"), configuration: configuration)
            }
        }
    }

    public var tokenizer: CLIPTokenizer {
        get throws {
            try load(&loadedTokenizer) { try CLIPTokenizer(folder: "\(folder)/tokenizer") }
        }
    }

    public var textEncoder: CLIPTextModel {
        get throws {
            try load(&loadedTextEncoder) {
                let configuration = try CLIPTextConfiguration(
                    path: "\(folder)/text_encoder/config.json")
                return try CLIPTextModel(
                    weights("text_encoder"), configuration: configuration, in: library)
            }
        }
    }

    public var unet: UNet2DConditionModel {
        get throws {
            try load(&loadedUNet) {
                let configuration = try UNet2DConditionConfiguration(
                    path: "\(folder)/unet/config.json")
                return try UNet2DConditionModel(
                    weights("unet"), configuration: configuration, in: library)
            }
        }
    }

    /// DDIM, set up by the scheduler's file whatever class that names, as gpi_pack does it.
    public var scheduler: DDIMScheduler {
        get throws {
            try load(&loadedScheduler) {
                try DDIMScheduler(
                    DDIMConfiguration(path: "\(folder)/scheduler/scheduler_config.json"))
            }
        }
    }

    /// Whether pictures of this model are to be checked: it has a safety checker, and its index, if
    /// it has one, names it.
    /// - Throws: `ConfigurationError` if there is an index that cannot be read.
    public var hasSafetyChecker: Bool {
        get throws {
            let files = FileManager.default
            guard files.fileExists(atPath: "\(folder)/safety_checker/config.json") else {
                return false
            }
            let index = "\(folder)/model_index.json"
            guard files.fileExists(atPath: index) else { return true }
            return try ModelIndex(path: index).classNames["safety_checker"] != nil
        }
    }

    public var safetyChecker: StableDiffusionSafetyChecker {
        get throws {
            try load(&loadedSafetyChecker) {
                let configuration = try StableDiffusionSafetyCheckerConfiguration(
                    path: "\(folder)/safety_checker/config.json")
                return try StableDiffusionSafetyChecker(
                    weights("safety_checker"), configuration: configuration)
            }
        }
    }

    /// How pictures are prepared for the safety checker.
    public var imageProcessorConfiguration: CLIPImageProcessorConfiguration {
        get throws {
            try load(&loadedImageProcessorConfiguration) {
                try CLIPImageProcessorConfiguration(
                    path: "\(folder)/feature_extractor/preprocessor_config.json")
            }
        }
    }

    private func weights(_ component: String) throws -> Weights {
        Weights(
            try ComponentFolder.open("\(folder)/\(component)", in: library), dtype: dtype,
            device: device)
    }

    private func load<Component>(
        _ loaded: inout Component?, _ make: () throws -> Component
    ) throws -> Component {
        if let loaded { return loaded }
        let component = try make()
        loaded = component
        return component
    }
}
