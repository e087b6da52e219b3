import Checkpoints

extension CLIPTextConfiguration {
    /// Channels of an attention head in CLIP ViT-L and OpenCLIP ViT-H.
    private static let channelsPerHead = 64

    /// The configuration that a text encoder of Stable Diffusion has with such tensors.
    ///
    /// - Parameters:
    ///   - source: tensors named as in transformers, without the prefix `text_model`.
    ///   - hiddenAct: "quick_gelu" (CLIP) or "gelu" (OpenCLIP), which no shape tells.
    /// - Throws: `CheckpointError` if a tensor is missing or has a shape that cannot be;
    ///   `ConfigurationError` if the sizes are not supported.
    public init(inferredFrom source: any TensorSource, hiddenAct: String) throws {
        let shapes = TensorShapes(source: source)
        self.init()
        (vocabSize, hiddenSize) = try shapes.matrix("embeddings.token_embedding")
        maxPositionEmbeddings = try shapes.matrix("embeddings.position_embedding").rows
        intermediateSize = try shapes.matrix("encoder.layers.0.mlp.fc1").rows
        numHiddenLayers = shapes.count("encoder.layers", with: "mlp.fc1.weight")
        numAttentionHeads = hiddenSize / Self.channelsPerHead
        self.hiddenAct = hiddenAct
        try check(path: source.location)
    }
}
