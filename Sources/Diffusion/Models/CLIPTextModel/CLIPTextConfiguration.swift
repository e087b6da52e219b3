/// The shape of a `CLIPTextModel`: its `config.json`, with transformers' own defaults for absent keys.
public struct CLIPTextConfiguration: CLIPEncoderConfiguration, Codable, Equatable, Sendable {
    public var vocabSize = 49408
    public var hiddenSize = 512
    public var intermediateSize = 2048
    public var numHiddenLayers = 12
    public var numAttentionHeads = 8
    public var maxPositionEmbeddings = 77
    /// "quick_gelu" (CLIP) or "gelu" (OpenCLIP).
    public var hiddenAct = "quick_gelu"
    public var layerNormEps = 1e-5
    /// The tokens that begin, end and fill a prompt, where the file says so. The model itself does not
    /// need to know them.
    public var bosTokenId: Int?
    public var eosTokenId: Int?
    public var padTokenId: Int?
    /// Size of the space in which CLIP compares texts with pictures, where the file says so. The model
    /// does not go there.
    public var projectionDim: Int?

    public init() {}

    /// The same as the text of a `config.json`, defaults included.
    public func json() throws -> String { try ConfigurationFile.text(self) }

    private enum CodingKeys: String, CodingKey {
        case vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads
        case maxPositionEmbeddings, hiddenAct, layerNormEps
        case bosTokenId, eosTokenId, padTokenId, projectionDim
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.vocabSize, into: &vocabSize)
        try values.read(.hiddenSize, into: &hiddenSize)
        try values.read(.intermediateSize, into: &intermediateSize)
        try values.read(.numHiddenLayers, into: &numHiddenLayers)
        try values.read(.numAttentionHeads, into: &numAttentionHeads)
        try values.read(.maxPositionEmbeddings, into: &maxPositionEmbeddings)
        try values.read(.hiddenAct, into: &hiddenAct)
        try values.read(.layerNormEps, into: &layerNormEps)
        bosTokenId = try values.decodeIfPresent(Int.self, forKey: .bosTokenId)
        eosTokenId = try values.decodeIfPresent(Int.self, forKey: .eosTokenId)
        padTokenId = try values.decodeIfPresent(Int.self, forKey: .padTokenId)
        projectionDim = try values.decodeIfPresent(Int.self, forKey: .projectionDim)
    }

    /// Reads `config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
        try check(path: path)
    }

    func check(path: String) throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: supported)
            }
        }
        try checkEncoder(require)
        try require(
            (1...(1 << 24)).contains(vocabSize), "vocab_size", vocabSize, "a positive number")
        try require(
            (2...65536).contains(maxPositionEmbeddings), "max_position_embeddings",
            maxPositionEmbeddings, "2 to 65536")
    }
}
