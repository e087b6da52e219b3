import Diffusion

extension UNet2DConfiguration {
    /// A model for training from scratch, of the kind that diffusers' tutorial trains: convolutions at all
    /// levels, and attention at the last but one and in the middle.
    ///
    /// - Parameters:
    ///   - widths: channels at each level, from the picture's size down, each level half as large as the
    ///     one above; multiples of 8.
    ///   - layers: residual blocks at each level.
    ///   - width: of the pictures in pixels.
    ///   - height: of the pictures in pixels.
    /// - Throws: `TrainingError.invalidArgument`.
    public init(widths: [Int], layers: Int, width: Int, height: Int) throws {
        guard !widths.isEmpty, widths.allSatisfy({ $0 > 0 && $0 % 8 == 0 && $0 <= 8192 }) else {
            throw TrainingError.invalidArgument(
                name: "widths",
                reason: """
                    \(widths.map(String.init).joined(separator: ",")) are no numbers of channels; take multiples \
                    of 8, such as 64,128,128.
                    """)
        }
        guard (1...16).contains(layers) else {
            throw TrainingError.invalidArgument(
                name: "layers", reason: "\(layers) is not between 1 and 16.")
        }
        let multiple = 1 << (widths.count - 1)
        guard width % multiple == 0, height % multiple == 0 else {
            throw TrainingError.invalidArgument(
                name: "resolution",
                reason: """
                    \(width)x\(height) cannot be halved \(widths.count - 1) times, as a model of \(widths.count) \
                    widths does. Take multiples of \(multiple), or fewer widths.
                    """)
        }
        self.init()
        (sampleWidth, sampleHeight) = (width, height)
        blockOutChannels = widths
        layersPerBlock = layers
        // A group of one channel alone would lose what its mean says: a flat picture's colour.
        normNumGroups =
            [32, 16, 8].first { count in widths.allSatisfy { $0 % count == 0 && $0 > count } } ?? 4
        // Not where the picture has its own size: attention grows with the square of the places.
        let attentive = max(widths.count - 2, 1)
        downBlockTypes = widths.indices.map {
            $0 == attentive ? "AttnDownBlock2D" : "DownBlock2D"
        }
        upBlockTypes = widths.indices.reversed().map {
            $0 == attentive ? "AttnUpBlock2D" : "UpBlock2D"
        }
    }
}
