import Checkpoints
import Diffusion
import FoundationEssentials
import Torch

/// The parts of a Stable Diffusion model, each loaded when it is first used.
public final class StableDiffusionComponents {
    public let folders: ComponentFolders
    public let dtype: DType
    public let device: Device
    /// How exactly the models compute; of parts of several models, how the UNet does.
    public let precision: Precision
    public let library: LibTorch

    /// Shared by models that share the autoencoder.
    private final class Tiling {
        var isUsed = false
    }

    private let tiling: Tiling
    private let autoencoderPart: LazyPart<AutoencoderKL>
    private let tokenizerPart: LazyPart<CLIPTokenizer>
    private let textEncoderPart: LazyPart<CLIPTextModel>
    private let unetPart: LazyPart<UNet2DConditionModel>
    private let schedulerSettingsPart: LazyPart<SchedulerSettings>
    private let safetyCheckPart: LazyPart<SafetyCheck?>

    /// - Parameters:
    ///   - folders: of the parts; those that are never used may be missing.
    ///   - predictionType: what the UNet was trained to predict; as the scheduler's settings have it
    ///     unless given.
    ///   - dtype: that the models run in, whatever the files hold.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - precision: how exactly float32 is computed on a CPU, or `.reduced`.
    /// - Throws: `TorchError` without a usable libtorch or device. Files are opened later.
    public init(
        folders: ComponentFolders, predictionType: PredictionType? = nil, dtype: DType = .float32,
        device: Device? = nil, precision: Precision = .default
    ) throws {
        let library = try LibTorch.shared()
        let device = device ?? .best(in: library)
        try device.checkAvailable(in: library)
        let dtype = precision == .reduced && dtype == .float32 ? .bfloat16 : dtype
        self.folders = folders
        self.dtype = dtype
        self.device = device
        self.precision = precision
        self.library = library
        let loader = PartLoader(
            dtype: dtype, device: device, precision: precision, library: library)
        let tiling = Tiling()
        self.tiling = tiling
        autoencoderPart = LazyPart {
            let autoencoder = try loader.autoencoder(folders.autoencoder)
            autoencoder.usesTiling = tiling.isUsed
            return autoencoder
        }
        tokenizerPart = LazyPart { try loader.tokenizer(folders.tokenizer) }
        textEncoderPart = LazyPart { try loader.textEncoder(folders.textEncoder) }
        let settings = LazyPart {
            try loader.schedulerSettings(folders.scheduler).predicting(predictionType)
        }
        schedulerSettingsPart = settings
        unetPart = LazyPart { try loader.unet(folders.unet) { try settings.value } }
        safetyCheckPart = LazyPart {
            guard try Self.hasSafetyChecker(folders) else { return nil }
            return SafetyCheck(
                try loader.safetyChecker(folders.safetyChecker),
                processor: try loader.imageProcessor(folders.featureExtractor), in: library)
        }
    }

    /// A whole model.
    /// - Parameters:
    ///   - folder: in the diffusers layout, see `ComponentFolders`; or a single file in the original
    ///     one, which is enough as long as no prompt is to be read.
    ///   - dtype: that the models run in, whatever the files hold.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - precision: how exactly float32 is computed on a CPU, or `.reduced`.
    public convenience init(
        folder: String, dtype: DType = .float32, device: Device? = nil,
        precision: Precision = .default
    ) throws {
        try self.init(
            folders: ComponentFolders(model: folder), dtype: dtype, device: device,
            precision: precision)
    }

    /// A model in a single file (`.safetensors`, `.ckpt`) in the layout of the original Stable Diffusion,
    /// versions 1.x and 2.x. Its configuration follows from its tensors.
    ///
    /// - Parameters:
    ///   - checkpoint: the path of the file.
    ///   - tokenizer: the folder of a tokenizer, which such a file does not hold: that of any model of
    ///     the same version. Without one no prompt can be read.
    ///   - predictionType: `.epsilon` for a model of version 2.x for 512 pixels, whose tensors look
    ///     like those of the models for 768, which predict the velocity; as the file says unless given.
    ///     See `SchedulerSettings.init(inferredFrom:)`.
    ///   - dtype: that the models run in, whatever the file holds.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - precision: how exactly float32 is computed on a CPU, or `.reduced`.
    /// - Throws: `TorchError` without a usable libtorch or device. The file is opened when a part is
    ///   first used; then `CheckpointError.unknownLayout` says what it seems to be if it is none such.
    public convenience init(
        checkpoint: String, tokenizer: String? = nil, predictionType: PredictionType? = nil,
        dtype: DType = .float32, device: Device? = nil, precision: Precision = .default
    ) throws {
        try self.init(
            folders: ComponentFolders(checkpoint: checkpoint, tokenizer: tokenizer),
            predictionType: predictionType, dtype: dtype, device: device, precision: precision)
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
        precision = unet.precision
        library = unet.library
        tiling = autoencoder.tiling
        autoencoderPart = autoencoder.autoencoderPart
        tokenizerPart = tokenizer.tokenizerPart
        textEncoderPart = textEncoder.textEncoderPart
        unetPart = unet.unetPart
        schedulerSettingsPart = unet.schedulerSettingsPart
        safetyCheckPart = unet.safetyCheckPart
    }

    /// Whether the autoencoder takes large pictures in overlapping tiles, see `AutoencoderKL.usesTiling`.
    /// Loads nothing.
    public var vaeTiling: Bool {
        get { tiling.isUsed }
        set {
            tiling.isUsed = newValue
            autoencoderPart.loaded?.usesTiling = newValue
        }
    }

    /// Makes room for the UNet, if the autoencoder was in use; see `AutoencoderKL.giveBackPages`.
    func giveBackAutoencoderPages() throws {
        try autoencoderPart.loaded?.giveBackPages()
    }

    public var autoencoder: AutoencoderKL { get throws { try autoencoderPart.value } }
    public var tokenizer: CLIPTokenizer { get throws { try tokenizerPart.value } }
    public var textEncoder: CLIPTextModel { get throws { try textEncoderPart.value } }
    public var unet: UNet2DConditionModel { get throws { try unetPart.value } }

    /// What the scheduler's file says, or for a single file the kind of model.
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

extension SchedulerSettings {
    /// The same for a model that predicts what is given; as they are without it.
    fileprivate func predicting(_ predictionType: PredictionType?) -> SchedulerSettings {
        guard let predictionType else { return self }
        var settings = self
        settings.values["prediction_type"] = .text(predictionType.rawValue)
        settings.defaultKeys.remove("prediction_type")
        settings.warning = nil
        return settings
    }
}
