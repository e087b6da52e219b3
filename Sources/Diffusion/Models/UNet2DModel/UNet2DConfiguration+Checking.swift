extension UNet2DConfiguration {
    /// Whether there is such a model.
    /// - Parameter path: what errors call the file.
    /// - Throws: `ConfigurationError` that names the key and what is supported.
    public func check(path: String = "The UNet's configuration") throws {
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: supported)
            }
        }
        let levels = blockOutChannels.count
        let sizes = 1...65536
        func requireSize(_ value: Int?, _ key: String) throws {
            guard let value else { return }
            try require(sizes.contains(value), key, value, "1 to 65536")
        }
        try require(
            downBlocks.count == downBlockTypes.count, "down_block_types", downBlockTypes,
            "\"DownBlock2D\", \"AttnDownBlock2D\" or \"ResnetDownsampleBlock2D\"")
        try require(
            upBlocks.count == upBlockTypes.count, "up_block_types", upBlockTypes,
            "\"UpBlock2D\", \"AttnUpBlock2D\" or \"ResnetUpsampleBlock2D\"")
        try require(
            midBlockType == nil || midBlockType == "UNetMidBlock2D", "mid_block_type",
            "\"\(midBlockType ?? "")\"", "\"UNetMidBlock2D\" or null")
        try require(
            timeEmbeddingType == "positional", "time_embedding_type", "\"\(timeEmbeddingType)\"",
            "\"positional\"")
        try require(
            ["silu", "swish"].contains(actFn.lowercased()), "act_fn", "\"\(actFn)\"", "\"silu\"")
        try requireSize(sampleHeight, "sample_size")
        try requireSize(sampleWidth, "sample_size")
        try requireSize(inChannels, "in_channels")
        try requireSize(outChannels, "out_channels")
        try requireSize(timeEmbeddingDim, "time_embedding_dim")
        try requireSize(normNumGroups, "norm_num_groups")
        try requireSize(attnNormNumGroups, "attn_norm_num_groups")
        try requireSize(attentionHeadDim, "attention_head_dim")
        try require(
            (1...64).contains(layersPerBlock), "layers_per_block", layersPerBlock, "1 to 64")
        try require((0...1).contains(freqShift), "freq_shift", freqShift, "0 to 1")
        try require(
            (0...1).contains(downsamplePadding), "downsample_padding", downsamplePadding, "0 or 1")
        try require(dropout >= 0 && dropout < 1, "dropout", dropout, "0 up to 1")
        try require(normEps > 0 && normEps < 1, "norm_eps", normEps, "a small positive number")
        try require(
            midBlockScaleFactor.isFinite && midBlockScaleFactor > 0, "mid_block_scale_factor",
            midBlockScaleFactor, "a positive number")
        try require(
            (1...8).contains(levels)
                && blockOutChannels.allSatisfy { sizes.contains($0) && $0 % normNumGroups == 0 }
                && firstWidth % 2 == 0 && firstWidth > 2,
            "block_out_channels", blockOutChannels,
            """
            a list of one to eight multiples of norm_num_groups (\(normNumGroups)), of which the first \
            is even and above 2
            """)
        try require(
            downBlockTypes.count == levels && upBlockTypes.count == levels, "block_out_channels",
            blockOutChannels, "one number for each block type")
        try requireHeads(require)
    }

    /// Whether the heads of every attention fit its channels.
    private func requireHeads(
        _ require: (_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws ->
            Void
    ) throws {
        let hasMiddleAttention = midBlockType != nil && addAttention
        let last = blockOutChannels.count - 1
        for (level, channels) in blockOutChannels.enumerated() {
            let isMiddle = level == last && hasMiddleAttention
            if isMiddle, let groups = middleAttentionGroups {
                try require(
                    channels % groups == 0, "attn_norm_num_groups", groups,
                    "a divisor of the last block's channels (\(channels))")
            }
            guard let size = attentionHeadDim,
                isMiddle || downBlocks[level].hasAttention || upBlocks[last - level].hasAttention
            else { continue }
            try require(
                channels % size == 0, "attention_head_dim", size,
                "a divisor of the block's channels (\(channels))")
        }
    }
}
