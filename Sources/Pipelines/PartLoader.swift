import Checkpoints
import Diffusion
import Torch

/// Loads the parts of a model, each from a folder in the diffusers layout or from a single file in the
/// original one.
final class PartLoader {
    private let dtype: DType?
    private let device: Device
    private let precision: Precision
    private let library: LibTorch
    private let decorate: (any TensorSource) -> any TensorSource
    /// Each file is opened once for all of its parts.
    private var checkpoints: [String: OriginalCheckpoint] = [:]

    /// - Parameters:
    ///   - dtype: that the parts run in; nil for the one in which a file stores most, so that nothing is
    ///     converted.
    ///   - decorate: what a part's weights are read through.
    init(
        dtype: DType?, device: Device, precision: Precision = .default, library: LibTorch,
        decorate: @escaping (any TensorSource) -> any TensorSource = { $0 }
    ) {
        self.dtype = dtype
        self.device = device
        self.precision = precision
        self.library = library
        self.decorate = decorate
    }

    func autoencoder(_ path: String) throws -> AutoencoderKL {
        guard let checkpoint = try checkpoint(path) else {
            return try AutoencoderKL(
                autoencoderWeights(ComponentFolder.open(path, in: library)),
                configuration: AutoencoderKLConfiguration(path: "\(path)/config.json"))
        }
        let source = try checkpoint.source(of: .autoencoder)
        var configuration = try AutoencoderKLConfiguration(inferredFrom: source)
        // Without influence but on the size of tiles.
        configuration.sampleSize = 512
        return try AutoencoderKL(autoencoderWeights(source), configuration: configuration)
    }

    func textEncoder(_ path: String) throws -> CLIPTextModel {
        guard let checkpoint = try checkpoint(path) else {
            return try CLIPTextModel(
                weights(path), configuration: CLIPTextConfiguration(path: "\(path)/config.json"),
                in: library)
        }
        let source = try checkpoint.source(of: .textEncoder)
        return try CLIPTextModel(
            weights(source),
            configuration: CLIPTextConfiguration(
                inferredFrom: source,
                hiddenAct: checkpoint.textEncoder == .openCLIP ? "gelu" : "quick_gelu"),
            in: library)
    }

    /// - Parameter settings: of the model's scheduler, from which a single file's size of pictures is
    ///   guessed.
    func unet(
        _ path: String, settings: () throws -> SchedulerSettings
    ) throws -> UNet2DConditionModel {
        guard let checkpoint = try checkpoint(path) else {
            return try UNet2DConditionModel(
                weights(path),
                configuration: UNet2DConditionConfiguration(path: "\(path)/config.json"),
                in: library)
        }
        let source = try checkpoint.source(of: .unet)
        var configuration = try UNet2DConditionConfiguration(inferredFrom: source)
        // The models for 768 pixels are those of versions 2.x that predict the velocity.
        let predictsVelocity =
            try settings().values["prediction_type"] == .text(PredictionType.velocity.rawValue)
        let side = try predictsVelocity && checkpoint.isVersion2() ? 96 : 64
        (configuration.sampleHeight, configuration.sampleWidth) = (side, side)
        return try UNet2DConditionModel(
            weights(source), configuration: configuration, in: library)
    }

    func schedulerSettings(_ path: String) throws -> SchedulerSettings {
        guard let checkpoint = try checkpoint(path) else {
            return try SchedulerSettings(path: "\(path)/scheduler_config.json")
        }
        return try SchedulerSettings(inferredFrom: checkpoint)
    }

    func tokenizer(_ path: String) throws -> CLIPTokenizer {
        guard !ComponentFolders.isFile(path) else {
            throw PipelineError.invalidArgument(
                name: "tokenizer",
                reason: """
                    a model in a single file comes without one. Pass the folder of a tokenizer: the folder \
                    "tokenizer" of a Stable Diffusion model of the same version in the diffusers layout, or for \
                    versions 1.x that of openai/clip-vit-large-patch14 (vocab.json and merges.txt).
                    """)
        }
        return try CLIPTokenizer(folder: path)
    }

    func safetyChecker(_ path: String) throws -> StableDiffusionSafetyChecker {
        try StableDiffusionSafetyChecker(
            weights(path),
            configuration: StableDiffusionSafetyCheckerConfiguration(path: "\(path)/config.json"))
    }

    func imageProcessor(_ path: String) throws -> CLIPImageProcessorConfiguration {
        try CLIPImageProcessorConfiguration(path: "\(path)/preprocessor_config.json")
    }

    // MARK: - Files

    /// Nil for a folder.
    func checkpoint(_ path: String) throws -> OriginalCheckpoint? {
        guard ComponentFolders.isFile(path) else { return nil }
        if let checkpoint = checkpoints[path] { return checkpoint }
        let checkpoint = try OriginalCheckpoint(path: path, in: library)
        checkpoints[path] = checkpoint
        return checkpoint
    }

    private func weights(_ folder: String) throws -> Weights {
        try weights(ComponentFolder.open(folder, in: library))
    }

    private func weights(_ source: any TensorSource) throws -> Weights {
        Weights(
            decorate(source), dtype: try runningDType(source), device: device, precision: precision)
    }

    /// In float32 where that is faster than the bfloat16 that is asked for, and more exact.
    private func autoencoderWeights(_ source: any TensorSource) throws -> Weights {
        let dtype = try runningDType(source)
        let isWidened =
            dtype == .bfloat16 && device == .cpu && precision != .exact
            && KernelMachine.outrunsBFloat16
        return Weights(
            decorate(source), dtype: isWidened ? .float32 : dtype, device: device,
            precision: isWidened ? .default : precision)
    }

    private func runningDType(_ source: any TensorSource) throws -> DType {
        try dtype ?? source.dtypes().first ?? .float32
    }
}
