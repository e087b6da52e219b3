import Diffusion
import Imaging
import Torch

/// The four parts of Stable Diffusion put together by hand, as diffusion tutorials do it: text to
/// picture with the LMS solver, and pictures similar to a given one with DDIM.
///
/// Each step takes and gives tensors, so that one can look at them or do something else between.
/// Not `Sendable`: use one for each thread.
public final class ImageDiffusionModel {
    public let components: StableDiffusionComponents
    /// Takes noise to a picture.
    public var noiseScheduler: any Scheduler
    /// Takes a noised picture to a similar one.
    public var similarityScheduler: any Scheduler

    private let promptEncoder: PromptEncoder

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - dtype: float32, float16 or bfloat16, that the model runs in.
    ///   - precision: how exactly it computes.
    ///   - warn: told of what is probably not meant, such as a prompt that is cut.
    public convenience init(
        modelFolder: String, device: Device? = nil, dtype: DType = .float32,
        precision: Precision = .default, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        try self.init(
            StableDiffusionComponents(
                folder: modelFolder, dtype: dtype, device: device, precision: precision),
            warn: warn)
    }

    /// - Parameters:
    ///   - components: loaded parts; the schedulers follow their scheduler's file.
    ///   - warn: told of what is probably not meant, such as a prompt that is cut.
    public init(
        _ components: StableDiffusionComponents, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        self.components = components
        let settings = try components.schedulerSettings
        if let warning = settings.warning { warn(warning) }
        noiseScheduler = try LMSDiscreteScheduler(settings)
        similarityScheduler = try DDIMScheduler(settings)
        promptEncoder = PromptEncoder(components, warn: warn)
    }

    private func pipeline(_ scheduler: any Scheduler) -> StableDiffusionPipeline {
        StableDiffusionPipeline(components, scheduler: scheduler, promptEncoder: promptEncoder)
    }

    // MARK: - Prompts

    /// The text encoder's last hidden states, `[N, tokens, size]`.
    public func textEmbeddings(of texts: [String]) throws -> Tensor {
        guard !texts.isEmpty else {
            throw PipelineError.invalidArgument(
                name: "prompt", reason: "the list is empty; give at least one prompt.")
        }
        return try promptEncoder.hiddenStates(of: texts, argument: "prompt")
    }

    /// What guidance needs: N times the empty prompt's, then the prompts' hidden states.
    public func promptEmbeddings(for prompts: [String]) throws -> PromptEmbeddings {
        let prompt = try textEmbeddings(of: prompts)
        let empty = try textEmbeddings(of: [String](repeating: "", count: prompts.count))
        return try PromptEmbeddings(negative: empty, prompt: prompt)
    }

    // MARK: - Latents

    /// Takes noise to the latents of pictures.
    ///
    /// - Parameters:
    ///   - embeddings: of N prompts.
    ///   - height: of the pictures in pixels, a multiple of 8.
    ///   - width: of the pictures in pixels, a multiple of 8.
    ///   - numInferenceSteps: of the whole way from noise to picture.
    ///   - guidanceScale: how strongly the prompts are followed.
    ///   - latents: `[N, C, height / 8, width / 8]` to start from, of unit variance: they are scaled by
    ///     the first σ. Drawn unless given.
    ///   - noise: gives the first latents, and what stochastic schedulers draw at each step.
    ///   - onStep: called after each step. What it throws ends the run.
    public func latents(
        for embeddings: PromptEmbeddings, height: Int = 512, width: Int = 512,
        numInferenceSteps: Int = 50, guidanceScale: Double = 7.5, latents: Tensor? = nil,
        noise: NoiseGenerator = NoiseGenerator(seed: nil),
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> Tensor {
        let pipeline = pipeline(noiseScheduler)
        let shape = try pipeline.latentShape(
            count: embeddings.count, height: height, width: width)
        var loop = try pipeline.loop(
            from: latents ?? noise.normal(shape, in: components.library), embeddings: embeddings,
            steps: numInferenceSteps, guidanceScale: guidanceScale,
            randomness: StepRandomness(noise: noise.normal(like:)))
        while let step = try loop.next() { try onStep(step) }
        return loop.latents
    }

    /// Takes the latents of pictures to those of similar ones: noise is added up to a step, and taken
    /// away again under the prompts.
    ///
    /// - Parameters:
    ///   - latents: `[N, C, H, W]`, scaled as `encodedLatents(of:)` gives them.
    ///   - embeddings: of N prompts.
    ///   - numInferenceSteps: of the whole way from noise to picture.
    ///   - guidanceScale: how strongly the prompts are followed.
    ///   - startStep: 0 up to `numInferenceSteps` - 1. The larger, the more similar. At 0 no noise is
    ///     added: then the latents themselves are to be noise.
    ///   - noise: gives the noise that is added, and what stochastic schedulers draw at each step.
    ///   - onStep: called after each step. What it throws ends the run.
    public func similarLatents(
        to latents: Tensor, embeddings: PromptEmbeddings, numInferenceSteps: Int = 50,
        guidanceScale: Double = 7.5, startStep: Int = 10,
        noise: NoiseGenerator = NoiseGenerator(seed: nil),
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> Tensor {
        var loop = try pipeline(similarityScheduler).loop(
            from: latents,
            start: .step(startStep, adding: startStep > 0 ? noise.normal(like: latents) : nil),
            embeddings: embeddings, steps: numInferenceSteps, guidanceScale: guidanceScale,
            randomness: StepRandomness(noise: noise.normal(like:)))
        while let step = try loop.next() { try onStep(step) }
        return loop.latents
    }

    /// The means of the pictures' posteriors, scaled: `[N, C, H / 8, W / 8]`.
    /// - Parameter pictures: all of one size, with sides that are multiples of 8.
    public func encodedLatents(of pictures: [RGBImage]) throws -> Tensor {
        let autoencoder = try components.autoencoder
        let pixels = try Tensor.pixels(of: pictures, in: components.library)
        guard pixels.shape[2] % 8 == 0, pixels.shape[3] % 8 == 0 else {
            throw PipelineError.invalidArgument(
                name: "img", reason: "the sides of the pictures must be multiples of 8.")
        }
        let posterior = try autoencoder.encode(
            pixels.converted(to: components.dtype).moved(to: components.device))
        return try autoencoder.configuration.scalingFactor * posterior.mean
    }

    /// Decodes latents to `[N, 3, 8 H, 8 W]`, about in [-1, 1].
    public func decodedPixels(of latents: Tensor) throws -> Tensor {
        try components.autoencoder.decode(
            scaled: latents.converted(to: components.dtype).moved(to: components.device))
    }

    // MARK: - Pictures

    /// `[N, 3, H, W]` in [-1, 1] as pictures.
    public func pictures(from pixels: Tensor) throws -> [RGBImage] {
        try RGBImage.pictures(decoded: pixels)
    }

    /// Prompts to pictures.
    public func pictures(
        for prompts: [String], height: Int = 512, width: Int = 512, numInferenceSteps: Int = 50,
        guidanceScale: Double = 7.5, latents start: Tensor? = nil, seed: UInt64? = nil,
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> [RGBImage] {
        let latents = try latents(
            for: promptEmbeddings(for: prompts), height: height, width: width,
            numInferenceSteps: numInferenceSteps, guidanceScale: guidanceScale, latents: start,
            noise: NoiseGenerator(seed: seed), onStep: onStep)
        return try pictures(from: decodedPixels(of: latents))
    }

    /// A picture to a similar one under a prompt.
    public func similarPictures(
        to picture: RGBImage, prompt: String, numInferenceSteps: Int = 50,
        guidanceScale: Double = 7.5, startStep: Int = 10, seed: UInt64? = nil,
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> [RGBImage] {
        let latents = try similarLatents(
            to: encodedLatents(of: [picture]), embeddings: promptEmbeddings(for: [prompt]),
            numInferenceSteps: numInferenceSteps, guidanceScale: guidanceScale,
            startStep: startStep, noise: NoiseGenerator(seed: seed), onStep: onStep)
        return try pictures(from: decodedPixels(of: latents))
    }
}
