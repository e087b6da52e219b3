extension UNet2DConditionConfiguration {
    private enum CodingKeys: String, CodingKey {
        case sampleSize, inChannels, outChannels, flipSinToCos, freqShift, downBlockTypes,
            upBlockTypes
        case onlyCrossAttention, midBlockOnlyCrossAttention, blockOutChannels, layersPerBlock
        case downsamplePadding, actFn, normNumGroups, normEps, crossAttentionDim
        case transformerLayersPerBlock, attentionHeadDim, numAttentionHeads, useLinearProjection
        case upcastAttention
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        let sampleSize = try values.decodeIfPresent(PerLevel<Int>.self, forKey: .sampleSize)
        sampleHeight = sampleSize?.values.first
        sampleWidth = sampleSize?.values.last
        try values.read(.inChannels, into: &inChannels)
        try values.read(.outChannels, into: &outChannels)
        try values.read(.flipSinToCos, into: &flipSinToCos)
        try values.read(.freqShift, into: &freqShift)
        try values.read(.downBlockTypes, into: &downBlockTypes)
        try values.read(.upBlockTypes, into: &upBlockTypes)
        try values.read(.onlyCrossAttention, into: &onlyCrossAttention)
        try values.read(.midBlockOnlyCrossAttention, into: &midBlockOnlyCrossAttention)
        try values.read(.blockOutChannels, into: &blockOutChannels)
        try values.read(.layersPerBlock, into: &layersPerBlock)
        try values.read(.downsamplePadding, into: &downsamplePadding)
        try values.read(.actFn, into: &actFn)
        try values.read(.normNumGroups, into: &normNumGroups)
        try values.read(.normEps, into: &normEps)
        try values.read(.crossAttentionDim, into: &crossAttentionDim)
        try values.read(.transformerLayersPerBlock, into: &transformerLayersPerBlock)
        try values.read(.attentionHeadDim, into: &attentionHeadDim)
        try values.read(.numAttentionHeads, into: &numAttentionHeads)
        try values.read(.useLinearProjection, into: &useLinearProjection)
        try values.read(.upcastAttention, into: &upcastAttention)
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        let sides = [sampleHeight, sampleWidth].compactMap(\.self)
        if sides.count == 2 {
            let size: PerLevel = sides[0] == sides[1] ? .all(sides[0]) : .each(sides)
            try values.encode(size, forKey: .sampleSize)
        }
        try values.encode(inChannels, forKey: .inChannels)
        try values.encode(outChannels, forKey: .outChannels)
        try values.encode(flipSinToCos, forKey: .flipSinToCos)
        try values.encode(freqShift, forKey: .freqShift)
        try values.encode(downBlockTypes, forKey: .downBlockTypes)
        try values.encode(upBlockTypes, forKey: .upBlockTypes)
        try values.encode(onlyCrossAttention, forKey: .onlyCrossAttention)
        try values.encode(midBlockOnlyCrossAttention, forKey: .midBlockOnlyCrossAttention)
        try values.encode(blockOutChannels, forKey: .blockOutChannels)
        try values.encode(layersPerBlock, forKey: .layersPerBlock)
        try values.encode(downsamplePadding, forKey: .downsamplePadding)
        try values.encode(actFn, forKey: .actFn)
        try values.encode(normNumGroups, forKey: .normNumGroups)
        try values.encode(normEps, forKey: .normEps)
        try values.encode(crossAttentionDim, forKey: .crossAttentionDim)
        try values.encode(transformerLayersPerBlock, forKey: .transformerLayersPerBlock)
        try values.encode(attentionHeadDim, forKey: .attentionHeadDim)
        try values.encode(numAttentionHeads, forKey: .numAttentionHeads)
        try values.encode(useLinearProjection, forKey: .useLinearProjection)
        try values.encode(upcastAttention, forKey: .upcastAttention)
    }

    /// Whether a block of this level, on the way down or up or in the middle, has attention.
    private func hasAttention(level: Int) -> Bool {
        let last = blockOutChannels.count - 1
        return level == last || downBlocks[level].hasAttention
            || upBlocks[last - level].hasAttention
    }

    func check(path: String) throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: supported)
            }
        }
        let levels = blockOutChannels.count
        let sizes = 1...65536
        try require(
            downBlockTypes.allSatisfy { ["DownBlock2D", "CrossAttnDownBlock2D"].contains($0) },
            "down_block_types", downBlockTypes, "\"CrossAttnDownBlock2D\" or \"DownBlock2D\"")
        try require(
            upBlockTypes.allSatisfy { ["UpBlock2D", "CrossAttnUpBlock2D"].contains($0) },
            "up_block_types", upBlockTypes, "\"CrossAttnUpBlock2D\" or \"UpBlock2D\"")
        try require(
            ["silu", "swish"].contains(actFn.lowercased()), "act_fn", "\"\(actFn)\"", "\"silu\"")
        for side in [sampleHeight, sampleWidth].compactMap(\.self) {
            try require(sizes.contains(side), "sample_size", side, "a positive number")
        }
        try require(sizes.contains(inChannels), "in_channels", inChannels, "a positive number")
        try require(sizes.contains(outChannels), "out_channels", outChannels, "a positive number")
        try require((0...1).contains(freqShift), "freq_shift", freqShift, "0 to 1")
        try require(
            (0...1).contains(downsamplePadding), "downsample_padding", downsamplePadding, "0 or 1")
        try require(
            sizes.contains(normNumGroups), "norm_num_groups", normNumGroups, "a positive number")
        try require(normEps > 0 && normEps < 1, "norm_eps", normEps, "a small positive number")
        try require(
            (1...8).contains(levels)
                && blockOutChannels.allSatisfy {
                    sizes.contains($0) && $0 % normNumGroups == 0 && $0 % 2 == 0 && $0 > 2
                },
            "block_out_channels", blockOutChannels,
            "a list of one to eight even multiples of norm_num_groups (\(normNumGroups))")
        try require(
            downBlockTypes.count == levels && upBlockTypes.count == levels, "block_out_channels",
            blockOutChannels, "one number for each block type")

        func requireEach(_ key: String, _ value: PerLevel<Int>, in range: ClosedRange<Int>) throws {
            try require(
                value.covers(levels) && value.values.allSatisfy(range.contains), key, value.values,
                "a number of \(range.lowerBound) to \(range.upperBound), or one for each block")
        }
        try requireEach("layers_per_block", layersPerBlock, in: 1...64)
        try requireEach("cross_attention_dim", crossAttentionDim, in: sizes)
        try requireEach("transformer_layers_per_block", transformerLayersPerBlock, in: 0...64)
        try requireEach("attention_head_dim", heads, in: sizes)
        try require(
            onlyCrossAttention.covers(levels), "only_cross_attention", onlyCrossAttention.values,
            "one truth value, or one for each block")
        for level in blockOutChannels.indices where hasAttention(level: level) {
            try require(
                blockOutChannels[level] % heads[level] == 0, "attention_head_dim", heads.values,
                "a number of heads that divides the block's channels (\(blockOutChannels[level]))")
        }
    }
}

/// Keys of `config.json` that change the model in ways that these families do not use. Each may have
/// its default only.
struct UnsupportedOptions: Decodable {
    var centerInputSample: Bool?
    var midBlockType: String?
    var midBlockScaleFactor: Double?
    var dualCrossAttention: Bool?
    var classEmbedType: String?
    var additionEmbedType: String?
    var encoderHidDim: Int?
    var encoderHidDimType: String?
    var numClassEmbeds: Int?
    var resnetTimeScaleShift: String?
    var resnetSkipTimeAct: Bool?
    var resnetOutScaleFactor: Double?
    var timeEmbeddingType: String?
    var timeEmbeddingDim: Int?
    var timeEmbeddingActFn: String?
    var timestepPostAct: String?
    var timeCondProjDim: Int?
    var convInKernel: Int?
    var convOutKernel: Int?
    var classEmbeddingsConcat: Bool?
    var attentionType: String?
    var crossAttentionNorm: String?

    func check(path: String) throws {
        func require<Value: Equatable>(_ key: String, _ value: Value?, is supported: Value?) throws
        {
            guard let value, value != supported else { return }
            throw ConfigurationError.unsupported(
                path: path, key: key, value: "\(value)",
                supported: supported.map { "\($0)" } ?? "null")
        }
        try require("center_input_sample", centerInputSample, is: false)
        try require("mid_block_type", midBlockType, is: "UNetMidBlock2DCrossAttn")
        try require("mid_block_scale_factor", midBlockScaleFactor, is: 1)
        try require("dual_cross_attention", dualCrossAttention, is: false)
        try require("class_embed_type", classEmbedType, is: nil)
        try require("addition_embed_type", additionEmbedType, is: nil)
        try require("encoder_hid_dim", encoderHidDim, is: nil)
        try require("encoder_hid_dim_type", encoderHidDimType, is: nil)
        try require("num_class_embeds", numClassEmbeds, is: nil)
        try require("resnet_time_scale_shift", resnetTimeScaleShift, is: "default")
        try require("resnet_skip_time_act", resnetSkipTimeAct, is: false)
        try require("resnet_out_scale_factor", resnetOutScaleFactor, is: 1)
        try require("time_embedding_type", timeEmbeddingType, is: "positional")
        try require("time_embedding_dim", timeEmbeddingDim, is: nil)
        try require("time_embedding_act_fn", timeEmbeddingActFn, is: nil)
        try require("timestep_post_act", timestepPostAct, is: nil)
        try require("time_cond_proj_dim", timeCondProjDim, is: nil)
        try require("conv_in_kernel", convInKernel, is: 3)
        try require("conv_out_kernel", convOutKernel, is: 3)
        try require("class_embeddings_concat", classEmbeddingsConcat, is: false)
        try require("attention_type", attentionType, is: "default")
        try require("cross_attention_norm", crossAttentionNorm, is: nil)
    }
}
