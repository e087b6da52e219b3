import Checkpoints
import Torch

/// The variational autoencoder between pictures and latents (Rombach et al., 2022, section 3.1).
///
/// Answers to diffusers' `AutoencoderKL`. Each half is built from its weights when it is first
/// needed, so that encoding alone never touches the decoder's.
public final class AutoencoderKL {
    /// ε of every group normalisation; not part of the configuration in diffusers.
    static let normEpsilon = 1e-6

    public let configuration: AutoencoderKLConfiguration
    private let weights: Weights
    /// One picture's feature maps lie where the last one's lay.
    private let memory = ReusedMemory()
    private var builtEncoder: AutoencoderEncoder?
    private var builtDecoder: AutoencoderDecoder?

    /// Whether pictures larger than the configuration's `sampleSize` are encoded and decoded in overlapping
    /// tiles of that size, which are blended: memory stays that of one tile, and results are others, though
    /// similar. Answers to `enable_tiling` in diffusers.
    public var usesTiling = false

    /// - Parameters:
    ///   - weights: named as in diffusers; older names for the attention are understood.
    ///   - configuration: says which shapes they have.
    /// - Throws: `CheckpointError` if a tensor belongs to neither half.
    public init(_ weights: Weights, configuration: AutoencoderKLConfiguration) throws {
        self.weights = weights
        self.configuration = configuration
        try weights.expect(only: ["encoder", "decoder", "quant_conv", "post_quant_conv"])
    }

    /// Factor by which each side shrinks: 8 with four levels.
    public var scaleFactor: Int { 1 << (configuration.blockOutChannels.count - 1) }

    /// Builds the encoder now instead of with the first picture, to have its errors now.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public func loadEncoder() throws {
        _ = try encoder
    }

    /// Builds both halves now.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public func load() throws {
        _ = try encoder
        _ = try decoder
    }

    /// - Parameter pictures: `[N, 3, H, W]` in [-1, 1], sides that are multiples of `scaleFactor`. They may
    ///   be of another dtype than the weights; what comes out is of theirs.
    /// - Returns: the posterior of latents `[N, latent channels, H / scaleFactor, W / scaleFactor]`.
    public func encode(_ pictures: Tensor) throws -> DiagonalGaussian {
        try memory.scope {
            let tiling = AutoencoderTiling(inputSide: sampleSide, resultSide: latentSide)
            let given = try pictures.converted(to: weights.dtype)
            let parameters =
                usesTiling && tiling.applies(to: given)
                ? try tiling(given, through: parameters(of:)) : try parameters(of: given)
            return try DiagonalGaussian(
                parameters: parameters.contiguous().converted(to: pictures.dtype))
        }
    }

    private func parameters(of pictures: Tensor) throws -> Tensor {
        let makesRoom = outweighWeights(pixels: pictures.count / configuration.inChannels)
        let parameters = try encoder(pictures, makesRoom: makesRoom)
        if makesRoom { try weights.giveBackPages() }
        return parameters
    }

    /// - Parameter latents: `[N, latent channels, H, W]`, not scaled; of any dtype, which comes out again.
    /// - Returns: pictures `[N, 3, scaleFactor * H, scaleFactor * W]`, about in [-1, 1].
    public func decode(_ latents: Tensor) throws -> Tensor {
        try memory.scope {
            let tiling = AutoencoderTiling(inputSide: latentSide, resultSide: sampleSide)
            let given = try latents.converted(to: weights.dtype)
            let pictures =
                usesTiling && tiling.applies(to: given)
                ? try tiling(given, through: pictures(of:)) : try pictures(of: given)
            return try pictures.contiguous().converted(to: latents.dtype)
        }
    }

    private func pictures(of latents: Tensor) throws -> Tensor {
        let pixels = latents.count / configuration.latentChannels * scaleFactor * scaleFactor
        let makesRoom = outweighWeights(pixels: pixels)
        let pictures = try decoder(latents, makesRoom: makesRoom)
        if makesRoom { try weights.giveBackPages() }
        return pictures
    }

    /// Lets go of the memory of feature maps, and of the pages of the checkpoint's file until they are read
    /// again; weights that were converted or moved stay.
    public func giveBackPages() throws {
        memory.giveBackIdle()
        try weights.giveBackPages()
    }

    /// Whether the largest feature map takes so much memory that weights which are not in use are not to lie
    /// beside it: maps are largest where few of the weights are in use.
    private func outweighWeights(pixels: Int) -> Bool {
        4 * pixels * configuration.firstWidth >= 64 << 20
    }

    /// Decodes latents of about unit variance, as diffusion works on them.
    /// - Parameter latents: `[N, latent channels, H, W]`, times `scalingFactor`.
    public func decode(scaled latents: Tensor) throws -> Tensor {
        try decode((1 / configuration.scalingFactor) * latents)
    }

    /// Sides of a tile in pixels, and of its latents.
    private var sampleSide: Int { configuration.tileSize }
    private var latentSide: Int { configuration.tileSize / scaleFactor }

    private var encoder: AutoencoderEncoder {
        get throws {
            if let builtEncoder { return builtEncoder }
            let encoder = try AutoencoderEncoder(weights, configuration)
            builtEncoder = encoder
            return encoder
        }
    }

    private var decoder: AutoencoderDecoder {
        get throws {
            if let builtDecoder { return builtDecoder }
            let decoder = try AutoencoderDecoder(weights, configuration)
            builtDecoder = decoder
            return decoder
        }
    }
}
