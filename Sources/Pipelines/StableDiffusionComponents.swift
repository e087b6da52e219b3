import Checkpoints
import Diffusion
import FoundationEssentials
import Torch

/// The parts of a Stable Diffusion model, each loaded when it is first used.
public final class StableDiffusionComponents {
    public let folders: ComponentFolders
    public let dtype: DType
    public let device: Device
    public let library: LibTorch

    private let autoencoderPart: LazyPart<AutoencoderKL>
    private let tokenizerPart: LazyPart<CLIPTokenizer>
    private let textEncoderPart: LazyPart<CLIPTextModel>
    private let unetPart: LazyPart<UNet2DConditionModel>
    private let schedulerSettingsPart: LazyPart<SchedulerSettings>
    private let safetyCheckPart: LazyPart<SafetyCheck?>

    /// - Parameters:
    ///   - folders: of the parts; those that are never used may be missing.
    ///   - dtype: that the models run in, whatever the files hold.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    /// - Throws: `TorchError` without a usable libtorch or device. Files are opened later.
    public init(folders: ComponentFolders, dtype: DType = .float32, device: Device? = nil) throws {
        let library = try LibTorch.shared()
        let device = device ?? .best(in: library)
        try device.checkAvailable(in: library)
        self.folders = folders
        self.dtype = dtype
        self.device = device
        self.library = library
        func weights(_ folder: String) throws -> Weights {
            Weights(
                try ComponentFolder.open(folder, in: library), dtype: dtype, device: device)
        }
        autoencoderPart = LazyPart {
            try AutoencoderKL(
                weights(folders.autoencoder),
                configuration: AutoencoderKLConfiguration(
                    path: "\(folders.autoencoder)/config.json"))
        }
        tokenizerPart = LazyPart { try CLIPTokenizer(folder: folders.tokenizer) }
        textEncoderPart = LazyPart {
            try CLIPTextModel(
                weights(folders.textEncoder),
                configuration: CLIPTextConfiguration(path: "\(folders.textEncoder)/config.json"),
                in: library)
        }
        unetPart = LazyPart {
            try UNet2DConditionModel(
                weights(folders.unet),
                configuration: UNet2DConditionConfiguration(path: "\(folders.unet)/config.json"),
                in: library)
        }
        schedulerSettingsPart = LazyPart {
            try SchedulerSettings(path: "\(folders.scheduler)/scheduler_config.json")
        }
        safetyCheckPart = LazyPart {
            guard try Self.hasSafetyChecker(folders) else { return nil }
            return SafetyCheck(
                try StableDiffusionSafetyChecker(
                    weights(folders.safetyChecker),
                    configuration: StableDiffusionSafetyCheckerConfiguration(
                        path: "\(folders.safetyChecker)/config.json")),
                processor: try CLIPImageProcessorConfiguration(
                    path: "\(folders.featureExtractor)/preprocessor_config.json"),
                in: library)
        }
    }

    /// A model in the diffusers layout.
    /// - Parameter folder: see `ComponentFolders`.
    public convenience init(folder: String, dtype: DType = .float32, device: Device? = nil) throws {
        try self.init(folders: ComponentFolders(model: folder), dtype: dtype, device: device)
    }

    /// Parts of several models, loaded or not, as one; the scheduler's settings are the UNet's.
    /// - Throws: `PipelineError.invalidArgument` if they are not on one device in one dtype.
    public init(
        autoencoderOf autoencoder: StableDiffusionComponents,
        tokenizerOf tokenizer: StableDiffusionComponents,
        textEncoderOf textEncoder: StableDiffusionComponents,
        unetOf unet: StableDiffusionComponents
    ) throws {
        for (name, part) in [("vae", autoencoder), ("text_encoder", textEncoder)] {
            guard part.device == unet.device, part.dtype == unet.dtype else {
                throw PipelineError.invalidArgument(
                    name: name,
                    reason: """
                        it is on \(part.device) in \(part.dtype), the unet on \(unet.device) in \
                        \(unet.dtype); load all parts with the same device and dtype.
                        """)
            }
        }
        var folders = unet.folders
        folders.autoencoder = autoencoder.folders.autoencoder
        folders.tokenizer = tokenizer.folders.tokenizer
        folders.textEncoder = textEncoder.folders.textEncoder
        self.folders = folders
        dtype = unet.dtype
        device = unet.device
        library = unet.library
        autoencoderPart = autoencoder.autoencoderPart
        tokenizerPart = tokenizer.tokenizerPart
        textEncoderPart = textEncoder.textEncoderPart
        unetPart = unet.unetPart
        schedulerSettingsPart = unet.schedulerSettingsPart
        safetyCheckPart = unet.safetyCheckPart
    }

    public var autoencoder: AutoencoderKL { get throws { try autoencoderPart.value } }
    public var tokenizer: CLIPTokenizer { get throws { try tokenizerPart.value } }
    public var textEncoder: CLIPTextModel { get throws { try textEncoderPart.value } }
    public var unet: UNet2DConditionModel { get throws { try unetPart.value } }

    /// What the scheduler's file says.
    public var schedulerSettings: SchedulerSettings {
        get throws { try schedulerSettingsPart.value }
    }

    /// The check that pictures of this model pass before they are given out; nil if the model comes
    /// without one.
    /// - Throws: `ConfigurationError` or `CheckpointError` if there is one that cannot be loaded.
    public var safetyCheck: SafetyCheck? { get throws { try safetyCheckPart.value } }

    /// Whether the model comes with a safety checker; loads nothing.
    public var hasSafetyChecker: Bool { get throws { try Self.hasSafetyChecker(folders) } }

    /// Whether there is a safety checker, and the model's index, if it has one, names it.
    static func hasSafetyChecker(_ folders: ComponentFolders) throws -> Bool {
        let files = FileManager.default
        guard files.fileExists(atPath: "\(folders.safetyChecker)/config.json") else { return false }
        guard files.fileExists(atPath: folders.index) else { return true }
        return try ModelIndex(path: folders.index).classNames["safety_checker"] != nil
    }
}
