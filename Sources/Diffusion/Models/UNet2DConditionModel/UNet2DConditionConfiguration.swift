/// The shape of a `UNet2DConditionModel`: its `config.json`, with diffusers' own defaults for absent
/// keys, limited to what the Stable Diffusion 1.x and 2.x families use.
public struct UNet2DConditionConfiguration: Codable, Equatable, Sendable {
    /// The kinds of blocks on the way down and up.
    enum BlockType: String {
        case down = "DownBlock2D"
        case crossAttentionDown = "CrossAttnDownBlock2D"
        case up = "UpBlock2D"
        case crossAttentionUp = "CrossAttnUpBlock2D"

        var hasAttention: Bool { self == .crossAttentionDown || self == .crossAttentionUp }
    }

    /// Height and width of the latents that the model was trained on, where the file says so.
    public var sampleHeight: Int?
    public var sampleWidth: Int?
    public var inChannels = 4
    public var outChannels = 4
    public var flipSinToCos = true
    public var freqShift = 0.0
    public var downBlockTypes = [
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
    ]
    public var upBlockTypes = [
        "UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
    ]
    /// For each level: whether its first attention looks at the prompt too.
    public var onlyCrossAttention = PerLevel.all(false)
    /// The same for the block in the middle; as the levels unless given.
    public var midBlockOnlyCrossAttention: Bool?
    public var blockOutChannels = [320, 640, 1280, 1280]
    public var layersPerBlock = PerLevel.all(2)
    public var downsamplePadding = 1
    public var actFn = "silu"
    public var normNumGroups = 32
    public var normEps = 1e-5
    /// Size of the prompt's vectors.
    public var crossAttentionDim = PerLevel.all(1280)
    public var transformerLayersPerBlock = PerLevel.all(1)
    /// In these families it is the number of heads, whatever its name says.
    public var attentionHeadDim = PerLevel.all(8)
    public var numAttentionHeads: PerLevel<Int>?
    public var useLinearProjection = false
    public var upcastAttention = false

    public init() {}

    /// The same as the text of a `config.json`, defaults included.
    public func json() throws -> String { try ConfigurationFile.text(self) }

    /// Reads `config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
        try check(path: path)
        try ConfigurationFile.decode(UnsupportedOptions.self, path: path).check(path: path)
    }

    /// Size of the time embedding.
    var timeEmbeddingSize: Int { 4 * firstWidth }
    var firstWidth: Int { blockOutChannels.first ?? 0 }

    var downBlocks: [BlockType] { downBlockTypes.compactMap(BlockType.init) }
    var upBlocks: [BlockType] { upBlockTypes.compactMap(BlockType.init) }
    var heads: PerLevel<Int> { numAttentionHeads ?? attentionHeadDim }

    /// The attention of one level.
    func transformer(level: Int, inMiddle: Bool = false) -> Transformer2DModel.Shape {
        Transformer2DModel.Shape(
            channels: blockOutChannels[level], heads: heads[level],
            contextChannels: crossAttentionDim[level], layers: transformerLayersPerBlock[level],
            groups: normNumGroups, usesLinearProjection: useLinearProjection,
            onlyCrossAttention: inMiddle ? middleOnlyCrossAttention : onlyCrossAttention[level],
            upcastAttention: upcastAttention)
    }

    private var middleOnlyCrossAttention: Bool {
        if let midBlockOnlyCrossAttention { return midBlockOnlyCrossAttention }
        if case .all(let value) = onlyCrossAttention { return value }
        return false
    }
}

/// A value for all levels, or one for each.
public enum PerLevel<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    case all(Value)
    case each([Value])

    public init(from decoder: any Swift.Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Value.self) {
            self = .all(value)
        } else {
            self = .each(try container.decode([Value].self))
        }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .all(let value): try container.encode(value)
        case .each(let values): try container.encode(values)
        }
    }

    subscript(level: Int) -> Value {
        switch self {
        case .all(let value): value
        case .each(let values): values[level]
        }
    }

    var values: [Value] {
        switch self {
        case .all(let value): [value]
        case .each(let values): values
        }
    }

    /// Whether there is a value for each of `count` levels.
    func covers(_ count: Int) -> Bool {
        switch self {
        case .all: true
        case .each(let values): values.count == count
        }
    }
}
