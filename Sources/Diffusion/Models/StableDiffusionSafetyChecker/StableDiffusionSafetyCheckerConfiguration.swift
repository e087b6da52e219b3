/// The shape of a `StableDiffusionSafetyChecker`: its `config.json`, with transformers' own defaults
/// for absent keys.
///
/// The file describes a whole CLIP; what it says of the text tower is of no use and not looked at.
public struct StableDiffusionSafetyCheckerConfiguration: Decodable, Equatable, Sendable {
    public internal(set) var visionConfig = CLIPVisionConfiguration()
    /// The size of the space in which pictures and concepts are compared.
    public internal(set) var projectionDim = 512
    /// The key that `visionConfig` stands under in the file.
    private var visionKey = "vision_config"

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case visionConfig, visionConfigDict, projectionDim
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.visionConfig, into: &visionConfig)
        // Older files have this beside it, and transformers heeds it and its defaults alone.
        if let older = try values.decodeIfPresent(
            CLIPVisionConfiguration.self, forKey: .visionConfigDict)
        {
            visionConfig = older
            visionKey = "vision_config_dict"
        }
        try values.read(.projectionDim, into: &projectionDim)
    }

    /// Reads `config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
        try visionConfig.check(path: path, under: visionKey)
        guard (1...(1 << 24)).contains(projectionDim) else {
            throw ConfigurationError.unsupported(
                path: path, key: "projection_dim", value: "\(projectionDim)",
                supported: "a positive number")
        }
    }
}
