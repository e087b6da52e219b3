import Diffusion
import Imaging
import Torch

/// Makes pictures from prompts with a Stable Diffusion model (Rombach et al., 2022).
///
/// Answers to diffusers' `StableDiffusionPipeline`. Not `Sendable`: use one for each thread.
///
///     let pipeline = try StableDiffusionPipeline(modelFolder: "stable-diffusion-v1-5")
///     let made = try pipeline.pictures(for: GenerationRequest(prompt: "a red circle"), seed: 42)
///     try made.pictures[0].writePNG(to: "circle.png")
///
/// Step by step, with previews and a way to stop:
///
///     var loop = try pipeline.loop(for: request, noise: NoiseGenerator(seed: 42))
///     while let step = try loop.next() {
///         if let clean = step.clean { show(try pipeline.pictures(from: clean)) }
///     }
///     let pictures = try pipeline.pictures(from: loop.latents)
public final class StableDiffusionPipeline {
    public let components: StableDiffusionComponents
    /// The one that the model's file names, until it is replaced. Runs take copies of it.
    public var scheduler: any Scheduler
    /// Whether pictures pass the model's safety checker, if it has one, and are blacked out if flagged.
    public var checksSafety = true

    private let promptEncoder: PromptEncoder

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout. See `StableDiffusionComponents` for single files.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - dtype: float32, float16 or bfloat16, that the model runs in.
    ///   - precision: how exactly it computes.
    ///   - warn: told of what is probably not meant, such as a prompt that is cut.
    /// - Throws: `TorchError` without a usable libtorch or device; `ConfigurationError` or
    ///   `SchedulerError` if the scheduler's file cannot be followed. Weights are opened when needed.
    public convenience init(
        modelFolder: String, device: Device? = nil, dtype: DType = .float32,
        precision: Precision = .default, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        try self.init(
            StableDiffusionComponents(
                folder: modelFolder, dtype: dtype, device: device, precision: precision),
            warn: warn)
    }

    /// A pipeline of loaded parts with the scheduler that their settings name.
    /// - Throws: `ConfigurationError`, `SchedulerError` or `CheckpointError` if there is none.
    public convenience init(
        _ components: StableDiffusionComponents, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        try self.init(
            components, scheduler: Self.scheduler(of: components, warn: warn),
            promptEncoder: PromptEncoder(components, warn: warn))
    }

    /// A pipeline of loaded parts.
    public init(
        _ components: StableDiffusionComponents, scheduler: any Scheduler,
        promptEncoder: PromptEncoder
    ) {
        self.components = components
        self.scheduler = scheduler
        self.promptEncoder = promptEncoder
    }

    /// The scheduler that a model's file names, with what old files have wrong put right.
    ///
    /// - Parameters:
    ///   - components: whose settings name it.
    ///   - warn: told of each value that is not the file's, and of a guess.
    /// - Throws: `SchedulerError.unknownScheduler`, which lists the known ones; `ConfigurationError`.
    public static func scheduler(
        of components: StableDiffusionComponents, warn: (String) -> Void = { _ in }
    ) throws -> any Scheduler {
        try Schedulers.scheduler(schedulerSettings(of: components, warn: warn))
    }

    /// The settings in a model's file, with what old files of Stable Diffusion have wrong put right, as
    /// diffusers does it.
    public static func schedulerSettings(
        of components: StableDiffusionComponents, warn: (String) -> Void = { _ in }
    ) throws -> SchedulerSettings {
        let settings = try components.schedulerSettings
        if let warning = settings.warning { warn(warning) }
        // With its defaults: a file that does not mention a key means the scheduler's own value.
        let full = try Schedulers.scheduler(settings).settings
        var corrected = settings
        let meant: [(key: String, value: SchedulerSettings.Value)] = [
            ("steps_offset", .integer(1)), ("clip_sample", .bool(false)),
        ]
        for (key, value) in meant where full.values[key].map({ $0 != value }) ?? false {
            corrected.values[key] = value
            warn(
                """
                \(settings.origin): "\(key)" is not what Stable Diffusion is meant to run with; \
                \(value.description) is used, as diffusers does it. Change the file to be rid of this.
                """)
        }
        return corrected
    }

    // MARK: - Whole runs

    /// Makes the pictures of a request.
    ///
    /// - Parameters:
    ///   - request: prompts, size and steps.
    ///   - seed: equal seeds give equal noise, as `torch.Generator().manual_seed(seed)` does. Without
    ///     one, noise comes from the generator of the process.
    ///   - onStep: called after each step. What it throws ends the run.
    /// - Throws: `PipelineError.invalidArgument` for a request that cannot be met, `.notFinite` if the
    ///   arithmetic overflowed.
    public func pictures(
        for request: GenerationRequest, seed: UInt64? = nil,
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> GeneratedPictures {
        var loop = try loop(for: request, noise: NoiseGenerator(seed: seed))
        while let step = try loop.next() { try onStep(step) }
        var pictures = try pictures(from: loop.latents)
        let flagged = try checksSafety ? components.safetyCheck?.flagged(pictures) : nil
        try SafetyCheck.blackOut(&pictures, where: flagged ?? [])
        return GeneratedPictures(pictures: pictures, latents: loop.latents, flagged: flagged)
    }

    /// The reverse process of a request, to be stepped through.
    /// - Parameters:
    ///   - request: prompts, size and steps.
    ///   - noise: gives the first latents, and what stochastic schedulers draw at each step.
    public func loop(for request: GenerationRequest, noise: NoiseGenerator) throws -> DenoisingLoop
    {
        try request.check()
        let embeddings = try embeddings(
            prompts: request.prompts, negativePrompts: request.negativePrompts,
            imagesPerPrompt: request.imagesPerPrompt, usesGuidance: request.usesGuidance)
        let shape = try latentShape(
            count: request.count, height: request.height, width: request.width)
        let latents = try request.latents ?? noise.normal(shape, in: components.library)
        guard latents.shape == shape else {
            throw PipelineError.invalidArgument(
                name: "latents",
                reason: "the shape is \(latents.shape); \(shape) is needed for this request.")
        }
        return try loop(
            from: latents, embeddings: embeddings, steps: request.numInferenceSteps,
            guidanceScale: request.guidanceScale,
            randomness: StepRandomness(eta: request.eta, noise: noise.normal(like:)))
    }

    // MARK: - Single steps

    /// What the UNet attends to.
    ///
    /// - Parameters:
    ///   - prompts: at least one, each padded and cut to the model's length.
    ///   - negativePrompts: none, one for all, or one for each; without influence without guidance.
    ///   - imagesPerPrompt: how often each prompt is repeated.
    ///   - usesGuidance: whether the negative prompts' are needed.
    public func embeddings(
        prompts: [String], negativePrompts: [String] = [], imagesPerPrompt: Int = 1,
        usesGuidance: Bool = true
    ) throws -> PromptEmbeddings {
        try checkPlace()
        return try promptEncoder.embeddings(
            prompts: prompts, negativePrompts: negativePrompts, imagesPerPrompt: imagesPerPrompt,
            usesGuidance: usesGuidance)
    }

    /// The same of hidden states that were made before.
    ///
    /// - Parameters:
    ///   - prompt: `[N, tokens, size]`, whatever their dtype and device.
    ///   - negative: of the same shape; nil without guidance.
    ///   - imagesPerPrompt: how often each row is repeated.
    public func embeddings(prompt: Tensor, negative: Tensor?, imagesPerPrompt: Int = 1) throws
        -> PromptEmbeddings
    {
        guard prompt.shape.count == 3, prompt.count > 0 else {
            throw PipelineError.invalidArgument(
                name: "prompt_embeds",
                reason: "the shape is \(prompt.shape); [N, tokens, size] is needed.")
        }
        if let negative, negative.shape != prompt.shape {
            throw PipelineError.invalidArgument(
                name: "negative_prompt_embeds",
                reason: "the shape is \(negative.shape); that of the prompts' is \(prompt.shape).")
        }
        func repeated(_ tensor: Tensor) throws -> Tensor {
            let tensor = try placed(tensor)
            let rows = try tensor.split(into: tensor.shape[0], dimension: 0)
            return try Tensor.concatenated(
                rows.flatMap { [Tensor](repeating: $0, count: imagesPerPrompt) }, dimension: 0)
        }
        return try PromptEmbeddings(negative: negative.map(repeated), prompt: repeated(prompt))
    }

    /// The shape of latents: `[count, C, height / 8, width / 8]`.
    /// - Parameters:
    ///   - count: number of pictures.
    ///   - height: in pixels; the size that the model was trained on unless given.
    ///   - width: the same.
    public func latentShape(count: Int, height: Int? = nil, width: Int? = nil) throws -> [Int] {
        let configuration = try components.unet.configuration
        let scale = try components.autoencoder.scaleFactor
        let sides = [
            height.map { $0 / scale } ?? configuration.sampleHeight,
            width.map { $0 / scale } ?? configuration.sampleWidth,
        ].compactMap(\.self)
        guard sides.count == 2, sides.allSatisfy({ $0 > 0 }) else {
            throw PipelineError.invalidArgument(
                name: "height, width",
                reason: "the model's unet/config.json has no sample_size; give both.")
        }
        return [count, configuration.inChannels] + sides
    }

    /// Where a run starts.
    public typealias Start = DenoisingStart

    /// The reverse process.
    ///
    /// - Parameters:
    ///   - latents: `[N, C, H, W]`, whatever their dtype and device.
    ///   - start: at the first timestep, from noise, unless given.
    ///   - embeddings: of N prompts.
    ///   - steps: number of inference steps of the whole way.
    ///   - guidanceScale: how strongly the prompts are followed.
    ///   - randomness: what stochastic schedulers draw with.
    /// - Throws: `PipelineError.invalidArgument` for arguments that do not fit together.
    public func loop(
        from latents: Tensor, start: Start = .noise, embeddings: PromptEmbeddings, steps: Int,
        guidanceScale: Double, randomness: StepRandomness = .process
    ) throws -> DenoisingLoop {
        let unet = try components.unet
        guard latents.shape.first == embeddings.count else {
            throw PipelineError.invalidArgument(
                name: "latents",
                reason: """
                    the shape is \(latents.shape); the batch must be that of the prompts, \
                    \(embeddings.count).
                    """)
        }
        try unet.check(sample: latents.shape, context: embeddings.prompt.shape)
        guard guidanceScale.isFinite else {
            throw PipelineError.invalidArgument(
                name: "guidance_scale", reason: "\(guidanceScale) is not a finite number.")
        }
        var scheduler = scheduler
        try scheduler.setTimesteps(steps)
        let (sample, first) = try start.applied(to: placed(latents), scheduler)
        try components.giveBackAutoencoderPages()
        return DenoisingLoop(
            from: sample, scheduler: scheduler, start: first, unet: unet, embeddings: embeddings,
            guidanceScale: guidanceScale, randomness: randomness)
    }

    /// Decodes latents, without a check of what they show.
    ///
    /// - Parameter latents: `[N, C, H, W]`, whatever their dtype and device.
    /// - Throws: `PipelineError.notFinite` if a value is no number.
    public func pictures(from latents: Tensor) throws -> [RGBImage] {
        let pixels = try components.autoencoder.decode(scaled: placed(latents))
        return try RGBImage.pictures(decoded: pixels)
    }

    /// The tensor in the dtype and on the device of the model.
    private func placed(_ tensor: Tensor) throws -> Tensor {
        try checkPlace()
        return try tensor.converted(to: components.dtype).moved(to: components.device)
    }

    /// - Throws: `PipelineError.invalidArgument` where the UNet would not end in reasonable time.
    private func checkPlace() throws {
        guard components.device != .cpu || components.dtype != .float16 else {
            throw PipelineError.invalidArgument(
                name: "torch_dtype",
                reason: """
                    float16 is for GPUs. Move the pipeline to one (pipe.to("cuda")), or load it in \
                    float32, or in bfloat16 where memory is short.
                    """)
        }
    }
}
