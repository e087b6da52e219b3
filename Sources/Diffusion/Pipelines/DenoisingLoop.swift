import Torch

/// The reverse process under classifier-free guidance (Ho and Salimans, 2022), step by step.
///
/// A sequence: each element is the latents after one step, so progress, preview and stopping are the
/// caller's `for` loop. A step that fails ends it; its error is thrown by `next`.
public struct DenoisingLoop {
    private let unet: UNet2DConditionModel
    private let scheduler: DDIMScheduler
    private let embeddings: PromptEmbeddings
    private let guidanceScale: Double
    private let steps: Int
    private var remaining: ArraySlice<Int>

    /// The latents reached so far, `[1, C, H, W]`.
    public private(set) var latents: Tensor

    /// - Parameters:
    ///   - latents: noised to the first timestep's share.
    ///   - timesteps: from the noisiest to the cleanest.
    ///   - steps: number of inference steps on the whole way, which says how long a step is.
    public init(
        from latents: Tensor, at timesteps: [Int], of steps: Int, unet: UNet2DConditionModel,
        scheduler: DDIMScheduler, embeddings: PromptEmbeddings, guidanceScale: Double
    ) {
        self.latents = latents
        self.remaining = timesteps[...]
        self.steps = steps
        self.unet = unet
        self.scheduler = scheduler
        self.embeddings = embeddings
        self.guidanceScale = guidanceScale
    }

    /// Takes one step; nil when there are none left.
    public mutating func next() throws -> Tensor? {
        guard let timestep = remaining.popFirst() else { return nil }
        let both = try Tensor.concatenated([latents, latents], dimension: 0)
        let parts = try unet(both, timestep: timestep, context: embeddings.both)
            .split(into: 2, dimension: 0)
        let (unconditional, conditional) = (parts[0], parts[1])
        let prediction = try unconditional + guidanceScale * (conditional - unconditional)
        latents = try scheduler.step(prediction, at: timestep, of: steps, sample: latents)
        return latents
    }
}

/// A prompt and what guidance leads away from, as the text encoder gives them.
public struct PromptEmbeddings {
    /// The negative prompt's, then the prompt's hidden states: `[2, tokens, size]`.
    public let both: Tensor

    public init(negative: Tensor, prompt: Tensor) throws {
        both = try Tensor.concatenated([negative, prompt], dimension: 0)
    }
}
