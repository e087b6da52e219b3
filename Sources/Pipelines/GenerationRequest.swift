import Torch

/// What a `StableDiffusionPipeline` is asked for.
public struct GenerationRequest {
    /// At least one.
    public var prompts: [String]
    /// What guidance leads away from: none, one for all prompts, or one for each.
    public var negativePrompts: [String] = []
    /// Sides of the pictures in pixels, multiples of 8; the size that the model was trained on unless
    /// given.
    public var height: Int?
    public var width: Int?
    public var numInferenceSteps = 50
    /// How strongly the prompts are followed. Up to 1 there is no guidance, and the UNet does half the
    /// work.
    public var guidanceScale = 7.5
    public var imagesPerPrompt = 1
    /// η of DDIM, 0 to 1; other schedulers do not ask.
    public var eta = 0.0
    /// Standard normal noise to start from, `[prompts × imagesPerPrompt, C, height / 8, width / 8]`;
    /// drawn unless given.
    public var latents: Tensor?

    public init(prompts: [String]) { self.prompts = prompts }

    public init(prompt: String) { self.init(prompts: [prompt]) }

    /// Number of pictures.
    public var count: Int { prompts.count * imagesPerPrompt }

    var usesGuidance: Bool { guidanceScale > 1 }

    /// - Throws: `PipelineError.invalidArgument` that names the argument as in Python.
    public func check() throws {
        func require(_ condition: Bool, _ name: String, _ reason: @autoclosure () -> String) throws
        {
            guard condition else {
                throw PipelineError.invalidArgument(name: name, reason: reason())
            }
        }
        try require(!prompts.isEmpty, "prompt", "the list is empty; give at least one prompt.")
        try require(
            [0, 1, prompts.count].contains(negativePrompts.count), "negative_prompt",
            """
            there are \(negativePrompts.count) negative prompts for \(prompts.count) prompts; give \
            one, or one for each.
            """)
        try require(
            (1...10_000).contains(imagesPerPrompt), "num_images_per_prompt",
            "\(imagesPerPrompt) is not between 1 and 10000.")
        try require(
            numInferenceSteps >= 1, "num_inference_steps", "\(numInferenceSteps) is less than 1.")
        try require(
            guidanceScale.isFinite, "guidance_scale", "\(guidanceScale) is not a finite number.")
        try require((0...1).contains(eta), "eta", "\(eta) is not between 0 and 1.")
        for (name, side) in [("height", height), ("width", width)] {
            guard let side else { continue }
            try require(
                side > 0 && side % 8 == 0 && side <= 1 << 16, name,
                "\(side) is not a positive multiple of 8.")
        }
    }
}
