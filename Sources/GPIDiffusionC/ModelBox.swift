import CGPIDiffusion
import Diffusion
import Pipelines
import Torch

/// `gpi_model`
final class ModelBox {
    let components: StableDiffusionComponents
    /// The same folder as that of a model without prompts; which of both it is shows when a part is used.
    let unconditional: UnconditionalComponents
    let warn: (String) -> Void
    private let promptEncoder: PromptEncoder
    private var kept: UnsafeMutableBufferPointer<CChar>?

    init(
        _ components: StableDiffusionComponents, _ unconditional: UnconditionalComponents,
        warn: @escaping (String) -> Void
    ) {
        self.components = components
        self.unconditional = unconditional
        self.warn = warn
        promptEncoder = PromptEncoder(components, warn: warn)
    }

    deinit { kept?.deallocate() }

    /// The text in memory that stays where it is until the next text.
    func keep(_ text: String) -> UnsafePointer<CChar>? {
        let characters = text.utf8CString
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: characters.count)
        _ = buffer.initialize(from: characters)
        kept?.deallocate()
        kept = buffer
        return UnsafePointer(buffer.baseAddress)
    }

    /// The parts as a pipeline; its scheduler is without meaning unless given.
    func pipeline(scheduler: any Scheduler = DDIMScheduler(DDIMConfiguration()))
        -> StableDiffusionPipeline
    {
        StableDiffusionPipeline(components, scheduler: scheduler, promptEncoder: promptEncoder)
    }

    /// The parts as a pipeline without prompts; the same goes for its scheduler.
    func unconditionalPipeline(
        scheduler: any Scheduler = DDPMScheduler(DDPMConfiguration())
    ) throws -> DDPMPipeline {
        DDPMPipeline(unet: try unconditional.unet, scheduler: scheduler)
    }

    /// What `gpi_model_denoise` is asked for.
    func loop(_ denoising: gpi_denoising) throws -> DenoisingLoop {
        let scheduler = try schedulerBox(denoising.scheduler).scheduler
        let sample = try tensor(denoising.latents, "latents")
        let start: DenoisingStart =
            denoising.from_noise
            ? .noise
            : .step(
                Int(denoising.start),
                adding: try denoising.added_noise.map { try tensor($0, "noise") })
        guard let embeddings = try denoising.embeddings.map({ try tensor($0, "prompt_embeds") })
        else {
            return try unconditionalPipeline(scheduler: scheduler).loop(
                from: sample, start: start, steps: Int(denoising.num_inference_steps),
                randomness: StepRandomness(denoising.randomness))
        }
        return try pipeline(scheduler: scheduler).loop(
            from: sample, start: start,
            embeddings: denoising.uses_guidance
                ? PromptEmbeddings(both: embeddings)
                : PromptEmbeddings(negative: nil, prompt: embeddings),
            steps: Int(denoising.num_inference_steps), guidanceScale: denoising.guidance_scale,
            randomness: StepRandomness(denoising.randomness))
    }
}

/// `gpi_tokens`
final class TokensBox {
    let ids: UnsafeMutableBufferPointer<Int64>
    let lostText: UnsafeMutableBufferPointer<CChar>

    init(_ encoding: CLIPTokenizer.Encoding) {
        ids = .allocate(capacity: encoding.ids.count)
        _ = ids.initialize(from: encoding.ids.map(Int64.init))
        let text = encoding.lostText.utf8CString
        lostText = .allocate(capacity: text.count)
        _ = lostText.initialize(from: text)
    }

    deinit {
        ids.deallocate()
        lostText.deallocate()
    }
}
