/// The shape of a `UNet2DModel`: its `config.json`, with diffusers' own defaults for absent keys.
public struct UNet2DConfiguration: Codable, Equatable, Sendable {
    /// What a block on the way down or up is made of.
    struct Block: Equatable {
        /// Whether attention follows each of its residual blocks.
        let hasAttention: Bool
        /// Whether the size changes in a residual block rather than by a convolution.
        let resizesInResnet: Bool
    }

    /// How the time embedding enters a residual block.
    public enum TimeScaleShift: String, Codable, Sendable {
        /// It is added between the convolutions.
        case added = "default"
        /// It scales and shifts what the second normalisation gives (Nichol and Dhariwal, 2021, section
        /// 6, and Dhariwal and Nichol, 2021).
        case scaleShift = "scale_shift"
    }

    /// How the size changes in blocks with attention.
    public enum Resizing: String, Codable, Sendable {
        case convolution = "conv"
        case resnet
    }

    /// Height and width of the pictures that the model was trained on, where the file says so.
    public var sampleHeight: Int?
    public var sampleWidth: Int?
    public var inChannels = 3
    public var outChannels = 3
    /// Whether pictures come in [0, 1] and are brought to [-1, 1].
    public var centerInputSample = false
    /// Only "positional" is known: sines and cosines of the timestep.
    public var timeEmbeddingType = "positional"
    /// Four times the first width unless given.
    public var timeEmbeddingDim: Int?
    public var freqShift = 0.0
    public var flipSinToCos = true
    public var downBlockTypes = [
        "DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D",
    ]
    /// "UNetMidBlock2D", or nil for a model without a middle.
    public var midBlockType: String? = "UNetMidBlock2D"
    public var upBlockTypes = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
    /// Channels at each level, from the picture's size down.
    public var blockOutChannels = [224, 448, 672, 896]
    public var layersPerBlock = 2
    /// What the results of the blocks in the middle are divided by.
    public var midBlockScaleFactor = 1.0
    public var downsamplePadding = 1
    public var downsampleType = Resizing.convolution
    public var upsampleType = Resizing.convolution
    /// Share of elements that diffusers drops while it trains. The model here never drops any.
    public var dropout = 0.0
    public var actFn = "silu"
    /// Channels of one attention head; nil for a single head.
    public var attentionHeadDim: Int? = 8
    public var normNumGroups = 32
    /// Groups of the normalisation before the middle's attention. Unless given there are
    /// `normNumGroups`, or with `.scaleShift` no such normalisation.
    public var attnNormNumGroups: Int?
    public var normEps = 1e-5
    public var resnetTimeScaleShift = TimeScaleShift.added
    /// Whether the middle has attention.
    public var addAttention = true
    /// Without influence on a model whose time embedding is positional.
    public var numTrainTimesteps: Int?

    public init() {}

    /// The same as the text of a `config.json`, defaults included.
    public func json() throws -> String { try ConfigurationFile.text(self) }

    /// Reads `config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
        try check(path: path)
        try ConfigurationFile.decode(UnsupportedUNet2DOptions.self, path: path).check(path: path)
    }

    // MARK: - What follows

    var firstWidth: Int { blockOutChannels.first ?? 0 }
    var lastWidth: Int { blockOutChannels.last ?? 0 }

    /// Size of the time embedding.
    var timeEmbeddingSize: Int { timeEmbeddingDim ?? 4 * firstWidth }

    /// How often a picture is halved: height and width must be multiples of that power of 2.
    var sizeMultiple: Int { 1 << (max(blockOutChannels.count, 1) - 1) }

    var downBlocks: [Block] {
        downBlockTypes.compactMap { Self.downBlock($0, downsampleType) }
    }

    var upBlocks: [Block] {
        upBlockTypes.compactMap { Self.upBlock($0, upsampleType) }
    }

    /// Heads of an attention over so many channels.
    func heads(channels: Int) -> Int { channels / (attentionHeadDim ?? channels) }

    /// Groups of the normalisation before the middle's attention; nil if there is none.
    var middleAttentionGroups: Int? {
        attnNormNumGroups ?? (resnetTimeScaleShift == .added ? normNumGroups : nil)
    }

    /// The block of a type's name; nil for one that is not known. Names of the first releases begin
    /// with "UNetRes".
    static func downBlock(_ type: String, _ resizing: Resizing) -> Block? {
        switch withoutOldPrefix(type) {
        case "DownBlock2D": Block(hasAttention: false, resizesInResnet: false)
        case "ResnetDownsampleBlock2D": Block(hasAttention: false, resizesInResnet: true)
        case "AttnDownBlock2D": Block(hasAttention: true, resizesInResnet: resizing == .resnet)
        default: nil
        }
    }

    static func upBlock(_ type: String, _ resizing: Resizing) -> Block? {
        switch withoutOldPrefix(type) {
        case "UpBlock2D": Block(hasAttention: false, resizesInResnet: false)
        case "ResnetUpsampleBlock2D": Block(hasAttention: false, resizesInResnet: true)
        case "AttnUpBlock2D": Block(hasAttention: true, resizesInResnet: resizing == .resnet)
        default: nil
        }
    }

    private static func withoutOldPrefix(_ type: String) -> String {
        let prefix = "UNetRes"
        return type.hasPrefix(prefix) ? String(type.dropFirst(prefix.count)) : type
    }
}
