import Diffusion
import Torch

/// The reverse process, step by step; with a prompt under classifier-free guidance (Ho and Salimans,
/// 2022).
///
/// Progress, preview and stopping are the caller's own loop:
///
///     while let step = try loop.next() {
///         print("\(step.number + 1) of \(step.count)")
///     }
///     let latents = loop.latents
public struct DenoisingLoop {
    /// What a model says of a sample at a timestep.
    public typealias Prediction = (_ input: Tensor, _ timestep: Double) throws -> Tensor

    private var scheduler: any Scheduler
    private let predict: Prediction
    private let randomness: StepRandomness
    private let first: Int
    /// One step's feature maps lie where the last one's lay; it goes with the loop, before the
    /// autoencoder's turn.
    private let memory = ReusedMemory()
    private var remaining: Range<Int>

    /// The latents reached so far, `[N, C, H, W]`. The next step goes on from what is put here.
    public var latents: Tensor

    /// - Parameters:
    ///   - latents: `[N, C, H, W]` with the noise of the first timestep.
    ///   - scheduler: with its timesteps set.
    ///   - start: index of the first timestep to run.
    ///   - unet: runs once at each timestep.
    ///   - embeddings: of N prompts. Without negative ones there is no guidance, and the UNet runs on
    ///     a batch of N instead of 2 N.
    ///   - guidanceScale: how strongly the prompts are followed.
    ///   - randomness: what stochastic solvers draw with.
    public init(
        from latents: Tensor, scheduler: any Scheduler, start: Int = 0, unet: UNet2DConditionModel,
        embeddings: PromptEmbeddings, guidanceScale: Double, randomness: StepRandomness = .process
    ) {
        self.init(
            from: latents, scheduler: scheduler, start: start, randomness: randomness,
            predict: Self.guided(unet, by: embeddings, scale: guidanceScale))
    }

    /// The reverse process of any model.
    ///
    /// - Parameters:
    ///   - latents: `[N, C, H, W]` with the noise of the first timestep.
    ///   - scheduler: with its timesteps set.
    ///   - start: index of the first timestep to run.
    ///   - randomness: what stochastic solvers draw with.
    ///   - predict: runs once at each timestep.
    public init(
        from latents: Tensor, scheduler: any Scheduler, start: Int = 0,
        randomness: StepRandomness = .process, predict: @escaping Prediction
    ) {
        self.latents = latents
        self.scheduler = scheduler
        self.predict = predict
        self.randomness = randomness
        let end = scheduler.timesteps.count
        first = min(max(start, 0), end)
        remaining = first..<end
    }

    /// Steps that `next` has yet to take.
    public var remainingCount: Int { remaining.count }

    /// Takes one step; nil when there are none left. After an error there are none left either.
    public mutating func next() throws -> DenoisingStep? {
        guard let index = remaining.popFirst() else { return nil }
        do {
            let timestep = scheduler.timesteps[index]
            let input = try scheduler.modelInput(latents, at: index)
            let prediction = try memory.scope { try predict(input, timestep) }
            let step = try scheduler.step(
                prediction, at: index, sample: latents, randomness: randomness)
            latents = step.previous
            return DenoisingStep(
                number: index - first, count: scheduler.timesteps.count - first,
                timestep: timestep, latents: latents, clean: step.clean)
        } catch {
            remaining = index..<index
            throw error
        }
    }

    /// What the UNet says, led from the negative prompt towards the prompt.
    private static func guided(
        _ unet: UNet2DConditionModel, by embeddings: PromptEmbeddings, scale: Double
    ) -> Prediction {
        guard let both = embeddings.both else {
            return { try unet($0, timestep: $1, context: embeddings.prompt) }
        }
        return { input, timestep in
            let twice = try Tensor.concatenated([input, input], dimension: 0)
            let parts = try unet(twice, timestep: timestep, context: both)
                .split(into: 2, dimension: 0)
            let (unconditional, conditional) = (parts[0], parts[1])
            return try unconditional + scale * (conditional - unconditional)
        }
    }
}

/// Where a `DenoisingLoop` is after one step.
public struct DenoisingStep {
    /// From 0 to `count` - 1.
    public let number: Int
    public let count: Int
    /// That the UNet was run at.
    public let timestep: Double
    /// `[N, C, H, W]` after the step.
    public let latents: Tensor
    /// The clean latents as this step believes them to be, for a preview, where the scheduler says.
    public let clean: Tensor?
}
