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
        try AutoencoderKL(
            autoencoderWeights(source(path, of: .autoencoder)),
            configuration: autoencoderConfiguration(path))
    }

    func autoencoderConfiguration(_ path: String) throws -> AutoencoderKLConfiguration {
        guard let checkpoint = try checkpoint(path) else {
            return try AutoencoderKLConfiguration(path: "\(path)/config.json")
        }
        var configuration = try AutoencoderKLConfiguration(
            inferredFrom: checkpoint.source(of: .autoencoder))
        // Without influence but on the size of tiles.
        configuration.sampleSize = .all(512)
        return configuration
    }

    func textEncoder(_ path: String) throws -> CLIPTextModel {
        try CLIPTextModel(
            weights(source(path, of: .textEncoder)), configuration: textConfiguration(path),
            in: library)
    }

    func textConfiguration(_ path: String) throws -> CLIPTextConfiguration {
        guard let checkpoint = try checkpoint(path) else {
            return try CLIPTextConfiguration(path: "\(path)/config.json")
        }
        return try CLIPTextConfiguration(
            inferredFrom: checkpoint.source(of: .textEncoder),
            hiddenAct: checkpoint.textEncoder == .openCLIP ? "gelu" : "quick_gelu")
    }

    /// - Parameter settings: of the model's scheduler, from which a single file's size of pictures is
    ///   guessed.
    func unet(
        _ path: String, settings: () throws -> SchedulerSettings
    ) throws -> UNet2DConditionModel {
        try UNet2DConditionModel(
            weights(source(path, of: .unet)),
            configuration: unetConfiguration(path, settings: settings), in: library)
    }

    func unetConfiguration(
        _ path: String, settings: () throws -> SchedulerSettings
    ) throws -> UNet2DConditionConfiguration {
        guard let checkpoint = try checkpoint(path) else {
            return try UNet2DConditionConfiguration(path: "\(path)/config.json")
        }
        var configuration = try UNet2DConditionConfiguration(
            inferredFrom: checkpoint.source(of: .unet))
        // The models for 768 pixels are those of versions 2.x that predict the velocity.
        let predictsVelocity =
            try settings().values["prediction_type"] == .text(PredictionType.velocity.rawValue)
        let side = try predictsVelocity && checkpoint.isVersion2() ? 96 : 64
        (configuration.sampleHeight, configuration.sampleWidth) = (side, side)
        return configuration
    }

    func unconditionalUNet(_ folder: String) throws -> UNet2DModel {
        try UNet2DModel(
            weights(ComponentFolder.open(folder, in: library)),
            configuration: UNet2DConfiguration(path: "\(folder)/config.json"),
            in: library)
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
            weights(ComponentFolder.open(path, in: library)),
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

    /// A part's tensors under today's names.
    func source(
        _ path: String, of part: OriginalCheckpoint.Part
    ) throws -> any TensorSource {
        guard let checkpoint = try checkpoint(path) else {
            return try ComponentFolder.open(path, in: library)
        }
        return try checkpoint.source(of: part)
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
