/// The shape of an `AutoencoderKL`: its `config.json`, with diffusers' own defaults for absent keys.
public struct AutoencoderKLConfiguration: Codable, Equatable, Sendable {
    public var inChannels = 3
    public var outChannels = 3
    public var downBlockTypes = ["DownEncoderBlock2D"]
    public var upBlockTypes = ["UpDecoderBlock2D"]
    /// Channels at each level, from the picture's size down.
    public var blockOutChannels = [64]
    public var layersPerBlock = 1
    public var actFn = "silu"
    public var latentChannels = 4
    /// Height and width of the pictures that it was trained with; the first is a tile's, where it is tiled.
    public var sampleSize = PerLevel.all(32)
    public var normNumGroups = 32
    /// Latents times this have about unit variance.
    public var scalingFactor = 0.18215
    public var useQuantConv = true
    public var usePostQuantConv = true
    public var midBlockAddAttention = true
    /// Whether diffusers is to decode in float32 because float16 overflows.
    public var forceUpcast = true

    public init() {}

    /// The same as the text of a `config.json`, defaults included.
    public func json() throws -> String { try ConfigurationFile.text(self) }

    private enum CodingKeys: String, CodingKey {
        case inChannels, outChannels, downBlockTypes, upBlockTypes, blockOutChannels, layersPerBlock
        case actFn, latentChannels, sampleSize, normNumGroups, scalingFactor
        case useQuantConv, usePostQuantConv, midBlockAddAttention, forceUpcast
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.inChannels, into: &inChannels)
        try values.read(.outChannels, into: &outChannels)
        try values.read(.downBlockTypes, into: &downBlockTypes)
        try values.read(.upBlockTypes, into: &upBlockTypes)
        try values.read(.blockOutChannels, into: &blockOutChannels)
        try values.read(.layersPerBlock, into: &layersPerBlock)
        try values.read(.actFn, into: &actFn)
        try values.read(.latentChannels, into: &latentChannels)
        try values.read(.sampleSize, into: &sampleSize)
        try values.read(.normNumGroups, into: &normNumGroups)
        try values.read(.scalingFactor, into: &scalingFactor)
        try values.read(.useQuantConv, into: &useQuantConv)
        try values.read(.usePostQuantConv, into: &usePostQuantConv)
        try values.read(.midBlockAddAttention, into: &midBlockAddAttention)
        try values.read(.forceUpcast, into: &forceUpcast)
    }

    /// Reads `config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
        try check(path: path)
    }

    var firstWidth: Int { blockOutChannels.first ?? 0 }
    var lastWidth: Int { blockOutChannels.last ?? 0 }
    /// Pixels on each side of a tile, as diffusers takes it.
    var tileSize: Int { sampleSize.values.first ?? 0 }

    func check(path: String) throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: supported)
            }
        }
        let sizes = 1...65536
        try require(
            downBlockTypes.allSatisfy { $0 == "DownEncoderBlock2D" }, "down_block_types",
            downBlockTypes, "\"DownEncoderBlock2D\"")
        try require(
            upBlockTypes.allSatisfy { $0 == "UpDecoderBlock2D" }, "up_block_types", upBlockTypes,
            "\"UpDecoderBlock2D\"")
        try require(
            ["silu", "swish"].contains(actFn.lowercased()), "act_fn", "\"\(actFn)\"", "\"silu\"")
        // Three channels because pictures have three; eight levels shrink 128-fold.
        try require(inChannels == 3, "in_channels", inChannels, "3")
        try require(outChannels == 3, "out_channels", outChannels, "3")
        try require(
            sizes.contains(latentChannels), "latent_channels", latentChannels, "a positive number")
        try require(
            !sampleSize.values.isEmpty && sampleSize.values.allSatisfy(sizes.contains),
            "sample_size", sampleSize.values, "a positive number, or a list of them")
        try require(
            (1...64).contains(layersPerBlock), "layers_per_block", layersPerBlock, "1 to 64")
        try require(
            sizes.contains(normNumGroups), "norm_num_groups", normNumGroups, "a positive number")
        try require(
            (1...8).contains(blockOutChannels.count)
                && blockOutChannels.allSatisfy { sizes.contains($0) && $0 % normNumGroups == 0 },
            "block_out_channels", blockOutChannels,
            "a list of one to eight positive multiples of norm_num_groups (\(normNumGroups))")
        try require(
            downBlockTypes.count == blockOutChannels.count
                && upBlockTypes.count == blockOutChannels.count,
            "block_out_channels", blockOutChannels, "one number for each block type")
    }
}
