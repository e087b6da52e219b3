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

    public let device: Device
    private let library: LibTorch
    private let autoencoder: AutoencoderKL

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout. Only its `vae` is read.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    /// - Throws: `TorchError` without a usable libtorch or device; `ConfigurationError` or
    ///   `CheckpointError` if the model's files are not as they should be.
    public init(modelFolder: String, device: Device? = nil) throws {
        library = try LibTorch.shared()
        self.device = device ?? .best(in: library)
        try self.device.checkAvailable(in: library)
        let folder = "\(modelFolder)/vae"
        let configuration = try AutoencoderKLConfiguration(path: "\(folder)/config.json")
        let source = try ComponentFolder.open(folder, in: library)
        autoencoder = try AutoencoderKL(
            Weights(source, dtype: .float32, device: self.device), configuration: configuration)
        try autoencoder.loadEncoder()
    }

    /// What the encoder sees of a picture: at most `longestSide` long (Lanczos), reflected at the edges
    /// to sides that are multiples of `sideMultiple`.
    public static func prepared(_ picture: RGBImage) throws -> RGBImage {
        try picture.fitted(longestSide: longestSide).reflectPadded(toMultipleOf: sideMultiple)
    }

    /// Encodes a picture and draws one sample of the posterior.
    ///
    /// - Parameters:
    ///   - seed: equal seeds give equal noise for pictures of equal size, as after
    ///     `torch.manual_seed(seed)`. Without one, noise comes from the generator of the process.
    /// - Returns: latents of the shape `[1, C, H / 8, W / 8]` for a prepared picture of H by W.
    public func latents(of picture: RGBImage, seed: UInt64? = nil) throws -> Latents {
        let pixels = try Tensor(Self.prepared(picture), in: library).moved(to: device)
        let posterior = try autoencoder.encode(pixels)
        let noise = try NoiseGenerator(seed: seed).normal(posterior.mean.shape, in: library)
        let sample = try posterior.sample(noise: noise.moved(to: device))
        let latents = try Self.latentScale * sample
        guard try latents.isFinite() else { throw ExtractionError.notFinite("latents") }
        return try Latents(latents)
    }

    /// Decodes latents to the picture that they stand for, with sides that are multiples of 8.
    public func picture(from latents: Latents) throws -> RGBImage {
        let sample = try (1 / Self.latentScale) * latents.tensor.moved(to: device)
        return try RGBImage(autoencoder.decode(sample))
    }
}
