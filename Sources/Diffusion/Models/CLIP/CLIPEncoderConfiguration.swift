/// What the configurations of CLIP's two towers share: the shape of their encoder layers.
protocol CLIPEncoderConfiguration {
    var hiddenSize: Int { get }
    var intermediateSize: Int { get }
    var numHiddenLayers: Int { get }
    var numAttentionHeads: Int { get }
    var hiddenAct: String { get }
    var layerNormEps: Double { get }
}

extension CLIPEncoderConfiguration {
    /// Checks the values above.
    /// - Parameter require: throws, unless its condition holds, an error that names the key, its value
    ///   and what is supported.
    func checkEncoder(
        _ require: (_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws ->
            Void
    ) throws {
        let sizes = 1...(1 << 24)
        try require(sizes.contains(hiddenSize), "hidden_size", hiddenSize, "a positive number")
        try require(
            sizes.contains(intermediateSize), "intermediate_size", intermediateSize,
            "a positive number")
        try require(
            (1...1024).contains(numHiddenLayers), "num_hidden_layers", numHiddenLayers, "1 to 1024")
        try require(
            sizes.contains(numAttentionHeads) && hiddenSize % numAttentionHeads == 0,
            "num_attention_heads", numAttentionHeads, "a divisor of hidden_size (\(hiddenSize))")
        try require(
            ["quick_gelu", "gelu"].contains(hiddenAct), "hidden_act", "\"\(hiddenAct)\"",
            "\"quick_gelu\" or \"gelu\"")
        try require(
            layerNormEps > 0 && layerNormEps < 1, "layer_norm_eps", layerNormEps,
            "a small positive number")
    }
}
