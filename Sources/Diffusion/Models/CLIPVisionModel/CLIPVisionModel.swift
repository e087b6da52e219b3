import Checkpoints
import Torch
import TorchNN

/// Turns a picture into one vector of what it shows: a vision transformer (Dosovitskiy et al., 2021)
/// as CLIP has it (Radford et al., 2021).
///
/// Answers to transformers' `CLIPVisionModel`, up to `pooler_output`.
public final class CLIPVisionModel {
    public let configuration: CLIPVisionConfiguration
    private let classEmbedding: Tensor
    private let patchEmbedding: Conv2d
    private let positionEmbedding: Tensor
    private let preLayerNorm: LayerNorm
    private let layers: [CLIPEncoderLayer]
    private let postLayerNorm: LayerNorm
    private let dtype: DType
    private let device: Device

    /// - Parameters:
    ///   - weights: named as in transformers, with or without the prefix `vision_model`.
    ///   - configuration: says which shapes they have.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public init(_ weights: Weights, configuration: CLIPVisionConfiguration) throws {
        self.configuration = configuration
        dtype = weights.dtype
        device = weights.device
        let size = configuration.hiddenSize
        let prefixed = weights / "vision_model"
        let model =
            prefixed.contains("post_layernorm.weight") ? prefixed : weights
        let embeddings = model / "embeddings"
        classEmbedding = try embeddings.tensor("class_embedding", shape: [size])
        patchEmbedding = try Conv2d(
            embeddings / "patch_embedding", from: configuration.numChannels, to: size,
            kernel: configuration.patchSize, stride: configuration.patchSize, bias: false)
        positionEmbedding = try (embeddings / "position_embedding").tensor(
            "weight", shape: [configuration.length, size])
        // Misspelt in every checkpoint.
        preLayerNorm = try LayerNorm(
            model / "pre_layrnorm", size: size, epsilon: configuration.layerNormEps)
        layers = try (0..<configuration.numHiddenLayers).map {
            try CLIPEncoderLayer(
                model / "encoder" / "layers" / $0, configuration, isCausal: false)
        }
        postLayerNorm = try LayerNorm(
            model / "post_layernorm", size: size, epsilon: configuration.layerNormEps)
        try weights.finish()
    }

    /// - Parameter pixels: normalised as `CLIPImageProcessor` does it, `[N, 3, image size, image size]`
    ///   with N at least 1, of any dtype and on any device.
    /// - Returns: the class's last hidden state after the final normalisation, `[N, hidden size]`.
    /// - Throws: `TorchError.invalidArgument` for another shape.
    public func callAsFunction(_ pixels: Tensor) throws -> Tensor {
        let side = configuration.imageSize
        let count = pixels.shape.first ?? 0
        guard count > 0, pixels.shape == [count, configuration.numChannels, side, side] else {
            throw TorchError.invalidArgument(
                "Pixels of shape \(pixels.shape); [N, \(configuration.numChannels), \(side), "
                    + "\(side)] is needed.")
        }
        let size = configuration.hiddenSize
        let patches = try patchEmbedding(pixels.converted(to: dtype).moved(to: device))
            .reshaped([count, size, -1]).transposed(1, 2)
        let classes = try Tensor.concatenated(
            Array(repeating: classEmbedding.reshaped([1, 1, size]), count: count), dimension: 0)
        var hidden = try preLayerNorm(
            Tensor.concatenated([classes, patches], dimension: 1) + positionEmbedding)
        for layer in layers { hidden = try layer(hidden) }
        return try postLayerNorm(
            hidden.narrowed(dimension: 1, start: 0, length: 1).reshaped([count, size]))
    }
}
