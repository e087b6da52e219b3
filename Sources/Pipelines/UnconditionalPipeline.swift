import Diffusion
import Imaging
import Torch

/// Makes pictures from noise alone, with a UNet and a scheduler.
///
///     let pipeline = try DDPMPipeline(modelFolder: "ddpm-cifar10-32")
///     let made = try pipeline.pictures(for: SamplingRequest(numInferenceSteps: 1000), seed: 42)
///     try made.pictures[0].writePNG(to: "picture.png")
///
/// Step by step, with a look at each:
///
///     var loop = try pipeline.loop(for: request, noise: NoiseGenerator(seed: 42))
///     while let step = try loop.next() { … step.latents, step.clean … }
///     let pictures = try RGBImage.pictures(decoded: loop.latents)
public protocol UnconditionalPipeline {
    var unet: UNet2DModel { get }
    /// Runs take copies of it.
    var scheduler: any Scheduler { get }
}

/// What an `UnconditionalPipeline` is asked for.
public struct SamplingRequest {
    /// Number of pictures.
    public var batchSize: Int
    public var numInferenceSteps: Int
    /// η of DDIM, 0 to 1; other schedulers do not ask.
    public var eta = 0.0
    /// Whether DDIM derives the noise from the clipped picture; other schedulers do not ask.
    public var usesClippedModelOutput = false
    /// Standard normal noise to start from, `[batchSize, C, H, W]`; drawn unless given.
    public var noise: Tensor?

    public init(batchSize: Int = 1, numInferenceSteps: Int) {
        self.batchSize = batchSize
        self.numInferenceSteps = numInferenceSteps
    }

    /// - Throws: `PipelineError.invalidArgument` that names the argument as in Python.
    func check() throws {
        guard (1...10_000).contains(batchSize) else {
            throw PipelineError.invalidArgument(
                name: "batch_size", reason: "\(batchSize) is not between 1 and 10000.")
        }
        guard numInferenceSteps >= 1 else {
            throw PipelineError.invalidArgument(
                name: "num_inference_steps", reason: "\(numInferenceSteps) is less than 1.")
        }
        guard (0...1).contains(eta) else {
            throw PipelineError.invalidArgument(
                name: "eta", reason: "\(eta) is not between 0 and 1.")
        }
    }
}

/// What an `UnconditionalPipeline` made.
public struct SampledPictures {
    public var pictures: [RGBImage]
    /// The same as the UNet's last sample: `[N, C, H, W]`, about in [-1, 1].
    public var sample: Tensor
}

extension UnconditionalPipeline {
    /// Makes pictures from noise.
    ///
    /// - Parameters:
    ///   - request: how many, and in how many steps.
    ///   - seed: equal seeds give equal noise, as `torch.Generator().manual_seed(seed)` does: first that
    ///     which a run starts from, then each step's. Without one, noise comes from the generator of the
    ///     process.
    ///   - onStep: called after each step. What it throws ends the run.
    /// - Throws: `PipelineError.invalidArgument` for a request that cannot be met, `.notFinite` if the
    ///   arithmetic overflowed.
    public func pictures(
        for request: SamplingRequest, seed: UInt64? = nil,
        onStep: (DenoisingStep) throws -> Void = { _ in }
    ) throws -> SampledPictures {
        var loop = try loop(for: request, noise: NoiseGenerator(seed: seed))
        while let step = try loop.next() { try onStep(step) }
        return SampledPictures(
            pictures: try RGBImage.pictures(decoded: loop.latents), sample: loop.latents)
    }

    /// The reverse process of a request, to be stepped through.
    /// - Parameters:
    ///   - request: how many pictures, and in how many steps.
    ///   - noise: gives the first sample, and what stochastic schedulers draw at each step.
    public func loop(for request: SamplingRequest, noise: NoiseGenerator) throws -> DenoisingLoop {
        try request.check()
        let shape = try sampleShape(count: request.batchSize)
        let sample = try request.noise ?? noise.normal(shape, in: unet.library)
        guard sample.shape == shape else {
            throw PipelineError.invalidArgument(
                name: "noise",
                reason: "the shape is \(sample.shape); \(shape) is needed for this request.")
        }
        return try loop(
            from: sample, steps: request.numInferenceSteps,
            randomness: StepRandomness(
                eta: request.eta, usesClippedModelOutput: request.usesClippedModelOutput,
                noise: noise.normal(like:)))
    }

    /// The reverse process from a given sample.
    ///
    /// - Parameters:
    ///   - sample: `[N, C, H, W]`, whatever its dtype and device.
    ///   - start: at the first timestep, from noise, unless given.
    ///   - steps: number of inference steps of the whole way.
    ///   - randomness: what stochastic schedulers draw with.
    /// - Throws: `PipelineError.invalidArgument` for arguments that do not fit together.
    public func loop(
        from sample: Tensor, start: DenoisingStart = .noise, steps: Int,
        randomness: StepRandomness = .process
    ) throws -> DenoisingLoop {
        let unet = unet
        try unet.check(sample: sample.shape)
        let configuration = unet.configuration
        // Twice as many where it says something of the variance too.
        guard
            [1, 2].contains(where: { configuration.outChannels == $0 * configuration.inChannels })
        else {
            throw PipelineError.invalidArgument(
                name: "unet",
                reason: """
                    it makes \(configuration.outChannels) channels of \(configuration.inChannels); as \
                    many, or twice as many, are needed.
                    """)
        }
        var scheduler = scheduler
        try scheduler.setTimesteps(steps)
        let placed = try sample.converted(to: unet.dtype).moved(to: unet.device)
        let (first, index) = try start.applied(to: placed, scheduler)
        return DenoisingLoop(
            from: first, scheduler: scheduler, start: index, randomness: randomness
        ) { try unet($0, timestep: $1) }
    }

    /// The shape of so many samples of the size that the model was trained on: `[count, C, H, W]`.
    /// - Throws: `PipelineError.invalidArgument` if the model's configuration does not say it.
    public func sampleShape(count: Int) throws -> [Int] {
        let configuration = unet.configuration
        guard let height = configuration.sampleHeight, let width = configuration.sampleWidth else {
            throw PipelineError.invalidArgument(
                name: "sample_size", reason: "the model's unet/config.json does not say it; add it."
            )
        }
        return [count, configuration.inChannels, height, width]
    }
}
