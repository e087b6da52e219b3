import Checkpoints
import Diffusion
import Imaging
import Pipelines
import Torch

/// Trains a Stable Diffusion model on captioned pictures: its UNet, and the text encoder if that is wanted,
/// on the latents of its autoencoder, which stays as it is (Rombach et al., 2022, section 3.3).
///
/// Answers to diffusers' `train_text_to_image.py`: of each picture's latents, a noisy version at a
/// timestep of its own is made, and the loss is the mean squared error of what the UNet says of it.
public final class TextToImageObjective: TrainingObjective {
    public struct Options: Codable, Equatable, Sendable {
        /// Share of pictures whose caption is not shown, so that there is something for guidance to lead
        /// away from (Ho and Salimans, 2022, algorithm 1).
        public var captionDropout = 0.1
        /// Whether the text encoder learns too.
        public var trainsTextEncoder = false
        /// γ of min-SNR weighting (Hang et al., 2023, section 3.4); nil for all timesteps alike.
        public var snrGamma: Double?
        /// How strongly samples follow their captions.
        public var guidanceScale = 5.0
        /// Steps of DDIM for samples.
        public var sampleSteps = 20

        public init() {}
    }

    public let options: Options
    /// That the trained components are saved in.
    public var savedDType = DType.float32
    public let parameters: [String: Tensor]
    public let facts: [String: String]

    private let start: StartingModel
    private let device: Device
    private let unet: UNet2DConditionModel
    /// What the UNet attends to for N captions, `[N, tokens, size]`.
    private let hiddenStates: (_ captions: [String]) throws -> Tensor
    private let autoencoder: AutoencoderKL
    private let diffusionLoss: DiffusionLoss
    private let encoded: EncodedPictures
    private let dtype: DType

    /// - Parameters:
    ///   - folder: of the model to start from, a pipeline in diffusers' layout.
    ///   - options: what is trained, and how.
    ///   - dtype: that is computed in.
    ///   - device: that is computed on.
    ///   - library: that tensors are of.
    /// - Throws: `CheckpointError`, `ConfigurationError` if a component is not there or cannot be
    ///   followed; `TrainingError.invalidArgument` for an option out of range.
    public init(
        startingFrom folder: String, options: Options = Options(), dtype: DType = .float32,
        device: Device = .cpu, in library: LibTorch
    ) throws {
        let start = StartingModel(folder: folder, in: library)
        try options.check()
        guard start.isPipeline else {
            throw TrainingError.invalidArgument(
                name: "model",
                reason: """
                    \(folder) has no model_index.json. Text to image is trained from the folder of a whole model \
                    in diffusers' layout.
                    """)
        }
        self.options = options
        self.start = start
        self.device = device
        self.dtype = dtype
        let unetParameters = Parameters()
        let textParameters = Parameters()
        unet = try UNet2DConditionModel(
            start.weights(
                of: Component.unet, dtype: dtype, device: device, keepingIn: unetParameters),
            configuration: UNet2DConditionConfiguration(
                path: start.configuration(of: Component.unet)),
            in: library)
        let textEncoder = try CLIPTextModel(
            start.weights(
                of: Component.textEncoder, dtype: dtype, device: device, keepingIn: textParameters),
            configuration: CLIPTextConfiguration(
                path: start.configuration(of: Component.textEncoder)), in: library)
        let components = try StableDiffusionComponents(
            folder: folder, dtype: dtype, device: device)
        let tokenizer = try components.tokenizer
        let length = min(
            tokenizer.modelMaxLength ?? .max, textEncoder.configuration.maxPositionEmbeddings)
        let encode = { (captions: [String]) in
            try textEncoder(captions.map { tokenizer.encode($0, paddedTo: length).ids })
        }
        hiddenStates =
            options.trainsTextEncoder ? encode : EncodedCaptions(by: encode).callAsFunction
        autoencoder = try components.autoencoder
        let scheduler = DDPMScheduler(try DDPMConfiguration(components.schedulerSettings))
        diffusionLoss = try DiffusionLoss(scheduler, minSNRGamma: options.snrGamma)
        encoded = EncodedPictures(by: autoencoder, dtype: dtype, device: device, in: library)

        var parameters = Self.named(unetParameters.tensors, in: Component.unet)
        let text = Self.named(textParameters.tensors, in: Component.textEncoder)
        facts = [
            "model": "UNet2DConditionModel",
            "starting_weights": try parameters.merging(text) { $1 }.digest(),
            "dtype": dtype.rawValue,
            "prediction_type": scheduler.configuration.predictionType.rawValue,
            "caption_dropout": "\(options.captionDropout)",
            "train_text_encoder": "\(options.trainsTextEncoder)",
            "snr_gamma": options.snrGamma.map { "\($0)" } ?? "none",
        ]
        if options.trainsTextEncoder { parameters.merge(text) { $1 } }
        self.parameters = parameters
    }

    private enum Component {
        static let unet = "unet"
        static let textEncoder = "text_encoder"
    }

    /// Parameters of all components together are told apart by their component's name.
    private static func named(_ tensors: [String: Tensor], in component: String) -> [String: Tensor]
    {
        var named: [String: Tensor] = [:]
        for (name, tensor) in tensors { named["\(component).\(name)"] = tensor }
        return named
    }

    // MARK: - Loss

    public func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor {
        guard batch.data.pictures.first?.caption != nil else {
            throw TrainingError.invalidArgument(
                name: "captions",
                reason: "the pictures have none; text to image is learnt from them.")
        }
        let (mean, deviation) = try encoded(batch)
        let library = start.library
        let draw = try randomness.normal(mean.shape, for: .posterior, in: library)
        let noise = try randomness.normal(mean.shape, for: .noise, in: library)
        let dropped = randomness.chances(batch.count, of: options.captionDropout, for: .dropout)
        return try loss(
            of: mean + deviation * placed(draw), noise: placed(noise),
            timesteps: randomness.timesteps(batch.count, below: diffusionLoss.timestepCount),
            captions: zip(batch.captions, dropped).map { $1 ? "" : $0 })
    }

    /// - Parameters:
    ///   - latents: x_0, `[N, C, h, w]`.
    ///   - noise: ε, of the same shape.
    ///   - timesteps: one for each.
    ///   - captions: as the model sees them; empty texts for those that are dropped.
    func loss(
        of latents: Tensor, noise: Tensor, timesteps: [Int], captions: [String]
    ) throws -> Tensor {
        let context = try hiddenStates(captions)
        return try diffusionLoss(latents, noise: noise, timesteps: timesteps) {
            try unet($0, timesteps: $1, context: context)
        }
    }

    private func placed(_ tensor: Tensor) throws -> Tensor {
        try tensor.converted(to: dtype).moved(to: device)
    }

    // MARK: - Results

    /// Pictures made from the first captions of the data that differ.
    public func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage] {
        var captions: [String] = []
        for picture in data.pictures where captions.count < count {
            guard let caption = picture.caption, !captions.contains(caption) else { continue }
            captions.append(caption)
        }
        let embeddings = try PromptEmbeddings(
            negative: hiddenStates(captions.map { _ in "" }), prompt: hiddenStates(captions))
        var scheduler = try DDIMScheduler(diffusionLoss.scheduler.settings)
        try scheduler.setTimesteps(options.sampleSteps)
        let scale = autoencoder.scaleFactor
        let shape = [
            captions.count, autoencoder.configuration.latentChannels, data.size.height / scale,
            data.size.width / scale,
        ]
        var loop = DenoisingLoop(
            from: try placed(NoiseGenerator(seed: seed).normal(shape, in: start.library)),
            scheduler: scheduler, unet: unet, embeddings: embeddings,
            guidanceScale: options.guidanceScale)
        while try loop.next() != nil {}
        return try RGBImage.pictures(decoded: autoencoder.decode(scaled: loop.latents))
    }

    public func save(to folder: String) throws {
        var weights: [String: [String: Tensor]] = [:]
        for (name, tensor) in parameters {
            guard let dot = name.firstIndex(of: ".") else { continue }
            weights[String(name[..<dot]), default: [:]][String(name[name.index(after: dot)...])] =
                tensor
        }
        try start.save(weights, as: savedDType, to: folder)
    }
}

extension TextToImageObjective.Options {
    func check() throws {
        guard (0...1).contains(captionDropout) else {
            throw TrainingError.invalidArgument(
                name: "caption_dropout", reason: "\(captionDropout) is not between 0 and 1.")
        }
        guard guidanceScale.isFinite else {
            throw TrainingError.invalidArgument(
                name: "guidance_scale", reason: "\(guidanceScale) is not a finite number.")
        }
        guard (1...1000).contains(sampleSteps) else {
            throw TrainingError.invalidArgument(
                name: "sample_steps", reason: "\(sampleSteps) is not between 1 and 1000.")
        }
    }
}
