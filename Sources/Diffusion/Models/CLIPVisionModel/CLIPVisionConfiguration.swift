/// The shape of a `CLIPVisionModel`, with transformers' own defaults for absent keys.
public struct CLIPVisionConfiguration:
    CLIPEncoderConfiguration, Decodable, Equatable, Sendable
{
    public internal(set) var hiddenSize = 768
    public internal(set) var intermediateSize = 3072
    public internal(set) var numHiddenLayers = 12
    public internal(set) var numAttentionHeads = 12
    public internal(set) var numChannels = 3
    /// Height and width of the picture in pixels.
    public internal(set) var imageSize = 224
    /// Height and width in pixels of what becomes one place of the sequence.
    public internal(set) var patchSize = 32
    /// "quick_gelu" (CLIP) or "gelu" (OpenCLIP).
    public internal(set) var hiddenAct = "quick_gelu"
    public internal(set) var layerNormEps = 1e-5

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numChannels
        case imageSize, patchSize, hiddenAct, layerNormEps
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.hiddenSize, into: &hiddenSize)
        try values.read(.intermediateSize, into: &intermediateSize)
        try values.read(.numHiddenLayers, into: &numHiddenLayers)
        try values.read(.numAttentionHeads, into: &numAttentionHeads)
        try values.read(.numChannels, into: &numChannels)
        try values.read(.imageSize, into: &imageSize)
        try values.read(.patchSize, into: &patchSize)
        try values.read(.hiddenAct, into: &hiddenAct)
        try values.read(.layerNormEps, into: &layerNormEps)
    }

    /// How many places the sequence has: one for each whole patch, after one for the class.
    var length: Int { (imageSize / patchSize) * (imageSize / patchSize) + 1 }

    /// Checks every value.
    /// - Parameters:
    ///   - path: of the file that they come from.
    ///   - parent: the key that they stand under.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    func check(path: String, under parent: String) throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: "\(parent).\(key)", value: "\(value)", supported: supported)
            }
        }
        try checkEncoder(require)
        try require(numChannels == 3, "num_channels", numChannels, "3")
        try require((1...16384).contains(imageSize), "image_size", imageSize, "1 to 16384")
        try require(
            (1...imageSize).contains(patchSize), "patch_size", patchSize,
            "1 to image_size (\(imageSize))")
    }
}
