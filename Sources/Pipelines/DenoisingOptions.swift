/// How far and in which way a picture is changed before its latents are taken.
public struct DenoisingOptions: Equatable, Sendable {
    /// 0: the picture's own latents, no UNet. Up to 1: noise is added up to that share of the way, and
    /// taken away again under the prompt.
    public var strength = 0.0
    /// Steps of the whole way from noise to picture; a strength below 1 takes a share of them.
    public var numInferenceSteps = 50
    /// How strongly the prompt is followed (classifier-free guidance).
    public var guidanceScale = 7.5
    /// What guidance leads away from.
    public var negativePrompt: String?

    public init(
        strength: Double = 0, numInferenceSteps: Int = 50, guidanceScale: Double = 7.5,
        negativePrompt: String? = nil
    ) {
        self.strength = strength
        self.numInferenceSteps = numInferenceSteps
        self.guidanceScale = guidanceScale
        self.negativePrompt = negativePrompt
    }

    /// - Throws: `PipelineError.invalidArgument` for values that would give silent garbage.
    public func check() throws {
        guard (0...1).contains(strength) else {
            throw PipelineError.invalidArgument(
                name: "strength", reason: "\(strength) is not between 0 and 1.")
        }
        guard numInferenceSteps >= 1 else {
            throw PipelineError.invalidArgument(
                name: "num_inference_steps", reason: "\(numInferenceSteps) is less than 1.")
        }
        guard guidanceScale.isFinite else {
            throw PipelineError.invalidArgument(
                name: "guidance_scale", reason: "\(guidanceScale) is not a finite number.")
        }
    }
}
