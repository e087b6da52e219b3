import Imaging
import Torch

/// What a `StableDiffusionPipeline` made.
public struct GeneratedPictures {
    /// The prompts' pictures in order, those of one prompt together.
    public var pictures: [RGBImage]
    /// Their latents, the input of the decoder: `[N, C, H / 8, W / 8]`.
    public var latents: Tensor
    /// Which pictures the safety checker blacked out; nil without one.
    public var flagged: [Bool]?
}
