import Checkpoints
import Torch
import TorchNN

/// Turns a prompt's tokens into the vectors that the UNet attends to (Radford et al., 2021).
///
/// Answers to transformers' `CLIPTextModel`, up to `last_hidden_state`.
public final class CLIPTextModel {
    public let configuration: CLIPTextConfiguration
    private let tokenEmbedding: Embedding
    private let positionEmbedding: Tensor
    private let layers: [CLIPEncoderLayer]
    private let finalLayerNorm: LayerNorm
    private let library: LibTorch
    private let device: Device
    private let weights: Weights

    /// - Parameters:
    ///   - weights: named as in transformers, with or without the prefix `text_model`.
    ///   - configuration: says which shapes they have.
    ///   - library: that their tensors are of.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public init(
        _ weights: Weights, configuration: CLIPTextConfiguration, in library: LibTorch
    ) throws {
        self.configuration = configuration
        self.library = library
        self.weights = weights
        device = weights.device
        let size = configuration.hiddenSize
        let prefixed = weights / "text_model"
        let model =
            prefixed.contains("final_layer_norm.weight") ? prefixed : weights
        let embeddings = model / "embeddings"
        tokenEmbedding = try Embedding(
            embeddings / "token_embedding", count: configuration.vocabSize, size: size)
        positionEmbedding = try (embeddings / "position_embedding").tensor(
            "weight", shape: [configuration.maxPositionEmbeddings, size])
        layers = try (0..<configuration.numHiddenLayers).map {
            try CLIPEncoderLayer(
                model / "encoder" / "layers" / $0, configuration, isCausal: true)
        }
        finalLayerNorm = try LayerNorm(
            model / "final_layer_norm", size: size, epsilon: configuration.layerNormEps)
        try weights.finish()
    }

    /// - Parameter ids: the tokens of each prompt, all of one length.
    /// - Returns: the last hidden state after the final normalisation, `[N, length, hidden size]`.
    /// - Throws: `TorchError.invalidArgument` if the lengths differ or exceed the model's, or if a token
    ///   is not in the vocabulary.
    public func callAsFunction(_ ids: [[Int]]) throws -> Tensor {
        let length = ids.first?.count ?? 0
        guard ids.allSatisfy({ $0.count == length }),
            (1...configuration.maxPositionEmbeddings).contains(length)
        else {
            throw TorchError.invalidArgument(
                "Prompts of \(ids.map(\.count)) tokens; all must have the same number, "
                    + "1 to \(configuration.maxPositionEmbeddings).")
        }
        let tokens = ids.flatMap { $0 }
        if let token = tokens.first(where: { !(0..<configuration.vocabSize).contains($0) }) {
            throw TorchError.invalidArgument(
                "Token \(token) is not in the text encoder's vocabulary of "
                    + "\(configuration.vocabSize). Does the tokenizer belong to this model?")
        }
        let numbers = try Tensor(tokens.map(Int64.init), shape: [ids.count, length], in: library)
            .moved(to: device)
        var hidden =
            try tokenEmbedding(numbers)
            + positionEmbedding.narrowed(dimension: 0, start: 0, length: length)
        for layer in layers { hidden = try layer(hidden) }
        return try finalLayerNorm(hidden)
    }

    /// Lets go of the pages of the checkpoint's file until they are read again; without influence on
    /// weights that were converted or moved.
    public func giveBackPages() throws {
        try weights.giveBackPages()
    }
}
