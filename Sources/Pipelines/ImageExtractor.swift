import Checkpoints
import Diffusion
import Imaging
import Torch

/// Turns pictures into the last latents of a diffusion model, and latents into pictures.
///
/// Answers to `StableDiffusionImg2ImgExtractor` of gpi_pack. Not `Sendable`: use one extractor for
/// each thread.
public final class ImageExtractor {
    /// Longest side of an encoded picture, in pixels. Larger pictures are shrunk.
    public static let longestSide = 512
    /// Sides of an encoded picture are padded to multiples of this.
    public static let sideMultiple = 8
    /// Latents are the posterior's sample times this. gpi_pack has the number built in, whatever the
    /// autoencoder's configuration says, and results are to be comparable.
    public static let latentScale = 0.18215

    private let components: StableDiffusionComponents
    private let promptEncoder: PromptEncoder
    private let warn: (String) -> Void
    private var hasWarnedOfScheduler = false

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout. Only what is used is read: at strength 0 its `vae`.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - dtype: float32, float16 or bfloat16, that the model runs in.
    ///   - precision: how exactly it computes.
    ///   - warn: told of what is probably not meant: prompts that are cut, steps that change nothing, ….
    /// - Throws: `TorchError` without a usable libtorch or device; `ConfigurationError` or
    ///   `CheckpointError` if the model's files are not as they should be.
    public convenience init(
        modelFolder: String, device: Device? = nil, dtype: DType = .float32,
        precision: Precision = .default, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        try self.init(
            StableDiffusionComponents(
                folder: modelFolder, dtype: dtype, device: device, precision: precision),
            warn: warn)
    }

    /// An extractor of a model's parts, such as those of a single file.
    public init(
        _ components: StableDiffusionComponents, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        self.components = components
        promptEncoder = PromptEncoder(components, warn: warn)
        self.warn = warn
        try components.autoencoder.loadEncoder()
    }

    public var device: Device { components.device }
    public var dtype: DType { components.dtype }

    // MARK: - One picture

    /// What the encoder sees of a picture: at most `longestSide` pixels long (Lanczos), reflected at the edges
    /// to sides that are multiples of `sideMultiple`.
    public static func prepared(_ picture: RGBImage, longestSide: Int = longestSide) throws
        -> RGBImage
    {
        try picture.fitted(longestSide: longestSide).reflectPadded(toMultipleOf: sideMultiple)
    }

    /// Encodes a picture, draws one sample of the posterior, and at a strength above 0 adds noise and
    /// takes it away again under the prompt.
    ///
    /// - Parameters:
    ///   - picture: of any size; it is prepared as `prepared` does it.
    ///   - prompt: without influence at strength 0.
    ///   - options: strength, steps, guidance and negative prompt.
    ///   - posterior: what is taken of the encoder's distribution.
    ///   - longestSide: pixels; a picture that is longer is shrunk.
    ///   - seed: equal seeds give equal noise for pictures of equal size, as after
    ///     `torch.manual_seed(seed)`. Without one, noise comes from the generator of the process.
    ///   - progress: called before each denoising step with its number, from 0, and how many there are.
    /// - Returns: latents of the shape `[1, C, H / 8, W / 8]` for a prepared picture of H by W.
    public func latents(
        of picture: RGBImage, prompt: String = "", options: DenoisingOptions = DenoisingOptions(),
        posterior: PosteriorChoice = .sample, longestSide: Int = longestSide, seed: UInt64? = nil,
        progress: (_ step: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws -> Latents {
        let batch = try latents(
            of: [picture], prompts: [prompt], options: options, posterior: posterior,
            longestSide: longestSide, seeds: [seed], progress: progress)
        return try Latents(batch)
    }

    /// The same for several pictures at once, of one size when they are prepared.
    ///
    /// Each picture's noise is that of its own seed. libtorch may round other than for single pictures, in the last
    /// bits.
    ///
    /// - Parameters:
    ///   - pictures: at least one.
    ///   - prompts: one for each picture.
    ///   - options: as for one picture.
    ///   - posterior: as for one picture.
    ///   - longestSide: as for one picture.
    ///   - seeds: one for each picture.
    ///   - progress: as for one picture.
    /// - Returns: `[N, C, H / 8, W / 8]`.
    public func latents(
        of pictures: [RGBImage], prompts: [String], options: DenoisingOptions = DenoisingOptions(),
        posterior: PosteriorChoice = .sample, longestSide: Int = longestSide, seeds: [UInt64?],
        progress: (_ step: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws -> Tensor {
        try options.check()
        for (name, count) in [("prompts", prompts.count), ("seeds", seeds.count)]
        where count != pictures.count {
            throw PipelineError.invalidArgument(
                name: name, reason: "there are \(count) for \(pictures.count) pictures.")
        }
        let noise = BatchNoise(seeds: seeds)
        let distribution = try components.autoencoder.encode(
            pixels(of: pictures, longestSide: longestSide))
        let chosen =
            switch posterior {
            case .sample: try distribution.sample(noise: noise.normal(like: distribution.mean))
            case .mode: distribution.mean
            }
        var latents = try Self.latentScale * chosen
        if options.strength > 0 {
            try components.giveBackAutoencoderPages()
            latents = try denoised(latents, prompts, options, noise, progress)
        }
        guard try latents.isFinite() else { throw PipelineError.notFinite("latents") }
        return latents
    }

    /// Decodes latents to the picture that they stand for, with sides that are multiples of 8.
    public func picture(from latents: Latents) throws -> RGBImage {
        try RGBImage(decoded: decoded(latents.tensor))
    }

    // MARK: - Single steps

    /// What the encoder is given for a picture, prepared as `prepared` does it.
    /// - Returns: `[1, 3, H, W]` in [-1, 1], in the extractor's dtype on its device.
    public func pixels(of picture: RGBImage, longestSide: Int = longestSide) throws -> Tensor {
        try pixels(of: [picture], longestSide: longestSide)
    }

    private func pixels(of pictures: [RGBImage], longestSide: Int) throws -> Tensor {
        let prepared = try pictures.map { try Self.prepared($0, longestSide: longestSide) }
        return try Tensor.pixels(of: prepared, in: components.library).converted(to: dtype)
            .moved(to: device)
    }

    /// What the UNet attends to: the text encoder's last hidden states, normalised.
    ///
    /// - Parameters:
    ///   - prompts: at least one, each padded and cut to the model's length.
    ///   - negativePrompt: what guidance leads away from, for all of them; an empty text unless given.
    /// - Returns: `[2 N, tokens, size]`: N times the negative prompt's, then the prompts'.
    public func promptEmbeddings(prompts: [String], negativePrompt: String? = nil) throws -> Tensor
    {
        guard !prompts.isEmpty else {
            throw PipelineError.invalidArgument(name: "prompt", reason: "there is none.")
        }
        let embeddings = try promptEncoder.embeddings(
            prompts: prompts, negativePrompts: negativePrompt.map { [$0] } ?? [])
        return embeddings.both ?? embeddings.prompt
    }

    /// Decodes latents, scaled as `latents(of:)` gives them, whatever their dtype and device.
    ///
    /// - Parameter latents: `[N, C, H, W]`, with the C channels of the model.
    /// - Returns: pictures `[N, 3, 8 H, 8 W]`, about in [-1, 1], in the extractor's dtype on its device.
    public func decoded(_ latents: Tensor) throws -> Tensor {
        let autoencoder = try components.autoencoder
        let channels = autoencoder.configuration.latentChannels
        guard latents.shape.count == 4, latents.shape[1] == channels, latents.count > 0 else {
            throw PipelineError.invalidArgument(
                name: "latents",
                reason:
                    "the shape is \(latents.shape); [N, \(channels), H, W] is needed, with no side of 0."
            )
        }
        let sample = try latents.converted(to: dtype).moved(to: device)
        return try autoencoder.decode((1 / Self.latentScale) * sample)
    }

    // MARK: - Denoising

    private func denoised(
        _ latents: Tensor, _ prompts: [String], _ options: DenoisingOptions, _ noise: BatchNoise,
        _ progress: (Int, Int) throws -> Void
    ) throws -> Tensor {
        // DDIM whatever class the file names, as gpi_pack does it.
        let settings = try components.schedulerSettings
        var scheduler = try DDIMScheduler(settings)
        let steps = options.numInferenceSteps
        try scheduler.setTimesteps(steps)
        let schedule = ImageToImageSchedule(
            strength: options.strength, allTimesteps: scheduler.timesteps, steps: steps,
            stepsOffset: scheduler.configuration.stepsOffset)
        let noised = try scheduler.addNoise(
            noise.normal(like: latents), to: latents, at: schedule.noiseTimestep)
        guard schedule.start < scheduler.timesteps.count else {
            warn(
                """
                strength \(options.strength) with \(steps) steps reaches no step of the model: the latents \
                are the picture's own with noise of timestep \(Int(schedule.noiseTimestep)), unchanged by the \
                prompt. Use a larger strength or more steps.
                """)
            return noised
        }
        warnOfScheduler(settings)

        let embeddings = try promptEncoder.embeddings(
            prompts: prompts, negativePrompts: options.negativePrompt.map { [$0] } ?? [])
        var loop = DenoisingLoop(
            from: noised, scheduler: scheduler, start: schedule.start, unet: try components.unet,
            embeddings: embeddings, guidanceScale: options.guidanceScale)
        let count = loop.remainingCount
        for step in 0..<count {
            try progress(step, count)
            _ = try loop.next()
        }
        return loop.latents
    }

    private func warnOfScheduler(_ settings: SchedulerSettings) {
        guard !hasWarnedOfScheduler else { return }
        hasWarnedOfScheduler = true
        if let warning = settings.warning { warn(warning) }
        guard settings.values["clip_sample"] == nil else { return }
        warn(
            """
            The model's scheduler_config.json says nothing of clip_sample, so latents are clipped at every \
            step, as gpi_pack does it. Stable Diffusion is meant to run with "clip_sample": false.
            """)
    }
}

/// Noise for a batch, each picture's from a generator of its own.
private struct BatchNoise {
    let generators: [NoiseGenerator]

    init(seeds: [UInt64?]) { generators = seeds.map { NoiseGenerator(seed: $0) } }

    /// Standard normal noise of the shape, dtype and device of a tensor `[N, …]`.
    func normal(like tensor: Tensor) throws -> Tensor {
        guard generators.count > 1 else {
            return try (generators.first ?? NoiseGenerator(seed: nil)).normal(like: tensor)
        }
        let first = try tensor.narrowed(dimension: 0, start: 0, length: 1)
        return try Tensor.concatenated(
            generators.map { try $0.normal(like: first) }, dimension: 0)
    }
}
