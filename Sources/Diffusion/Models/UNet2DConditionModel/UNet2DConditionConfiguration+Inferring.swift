import Checkpoints

extension UNet2DConditionConfiguration {
    /// Heads of every attention in Stable Diffusion 1.x.
    private static let headsOfVersion1 = 8
    /// Channels of every attention head in Stable Diffusion 2.x.
    private static let channelsPerHeadOfVersion2 = 64

    /// The configuration that Stable Diffusion's UNet has with such tensors.
    ///
    /// What no shape tells is as in the original's own configuration: 32 groups; 8 heads in versions
    /// 1.x, 64 channels a head in versions 2.x, which are told by linear layers around the attention.
    /// Versions 2.x compare queries and keys in 32 bits: some of them need it, none is harmed. The size
    /// of the latents is left open.
    ///
    /// - Parameter source: tensors named as in diffusers.
    /// - Throws: `CheckpointError` if a tensor is missing or has a shape that cannot be;
    ///   `ConfigurationError` if the sizes are not supported.
    public init(inferredFrom source: any TensorSource) throws {
        let shapes = TensorShapes(source: source)
        self.init()
        inChannels = try shapes.kernel("conv_in").from
        outChannels = try shapes.kernel("conv_out").to
        let levels = shapes.count("down_blocks", with: "resnets.0.conv1.weight")
        blockOutChannels = try (0..<levels).map {
            try shapes.kernel("down_blocks.\($0).resnets.0.conv1").to
        }
        layersPerBlock = .uniform(
            (0..<levels).map { shapes.count("down_blocks.\($0).resnets", with: "conv1.weight") })

        func hasAttention(_ block: String) -> Bool {
            shapes.contains("\(block).attentions.0.norm.weight")
        }
        downBlockTypes = (0..<levels).map {
            hasAttention("down_blocks.\($0)") ? "CrossAttnDownBlock2D" : "DownBlock2D"
        }
        upBlockTypes = (0..<levels).map {
            hasAttention("up_blocks.\($0)") ? "CrossAttnUpBlock2D" : "UpBlock2D"
        }
        // The middle always has attention, of the shape that the last level would have.
        let middle = "mid_block.attentions.0"
        transformerLayersPerBlock = .uniform(
            (0..<levels).map { level in
                let block = "down_blocks.\(level)"
                let attention = hasAttention(block) ? "\(block).attentions.0" : middle
                return shapes.count("\(attention).transformer_blocks", with: "norm1.weight")
            })
        crossAttentionDim = .all(
            try shapes.matrix("\(middle).transformer_blocks.0.attn2.to_k").columns)
        useLinearProjection =
            try shapes.shape(of: "\(middle).proj_in.weight", ranks: 2...4).count == 2
        upcastAttention = useLinearProjection
        attentionHeadDim =
            useLinearProjection
            ? .each(blockOutChannels.map { $0 / Self.channelsPerHeadOfVersion2 })
            : .all(Self.headsOfVersion1)
        try check(path: source.location)
    }
}

extension PerLevel {
    /// One value if all levels have the same.
    fileprivate static func uniform(_ values: [Value]) -> PerLevel {
        guard let first = values.first, values.allSatisfy({ $0 == first }) else {
            return .each(values)
        }
        return .all(first)
    }
}
