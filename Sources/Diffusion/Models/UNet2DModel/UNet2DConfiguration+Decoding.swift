extension UNet2DConfiguration {
    private enum CodingKeys: String, CodingKey {
        case sampleSize, inChannels, outChannels, centerInputSample, timeEmbeddingType
        case timeEmbeddingDim, freqShift, flipSinToCos, downBlockTypes, midBlockType, upBlockTypes
        case blockOutChannels, layersPerBlock, midBlockScaleFactor, downsamplePadding
        case downsampleType, upsampleType, dropout, actFn, attentionHeadDim, normNumGroups
        case attnNormNumGroups, normEps, resnetTimeScaleShift, addAttention, numTrainTimesteps
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        let sampleSize = try values.decodeIfPresent(PerLevel<Int>.self, forKey: .sampleSize)
        sampleHeight = sampleSize?.values.first
        sampleWidth = sampleSize?.values.last
        try values.read(.inChannels, into: &inChannels)
        try values.read(.outChannels, into: &outChannels)
        try values.read(.centerInputSample, into: &centerInputSample)
        try values.read(.timeEmbeddingType, into: &timeEmbeddingType)
        timeEmbeddingDim = try values.decodeIfPresent(Int.self, forKey: .timeEmbeddingDim)
        try values.read(.freqShift, into: &freqShift)
        try values.read(.flipSinToCos, into: &flipSinToCos)
        try values.read(.downBlockTypes, into: &downBlockTypes)
        // With these two, null is not the same as nothing.
        try values.readNullable(.midBlockType, into: &midBlockType)
        try values.readNullable(.attentionHeadDim, into: &attentionHeadDim)
        try values.read(.upBlockTypes, into: &upBlockTypes)
        try values.read(.blockOutChannels, into: &blockOutChannels)
        try values.read(.layersPerBlock, into: &layersPerBlock)
        try values.read(.midBlockScaleFactor, into: &midBlockScaleFactor)
        try values.read(.downsamplePadding, into: &downsamplePadding)
        try values.read(.downsampleType, into: &downsampleType)
        try values.read(.upsampleType, into: &upsampleType)
        try values.read(.dropout, into: &dropout)
        try values.read(.actFn, into: &actFn)
        try values.read(.normNumGroups, into: &normNumGroups)
        attnNormNumGroups = try values.decodeIfPresent(Int.self, forKey: .attnNormNumGroups)
        try values.read(.normEps, into: &normEps)
        try values.read(.resnetTimeScaleShift, into: &resnetTimeScaleShift)
        try values.read(.addAttention, into: &addAttention)
        numTrainTimesteps = try values.decodeIfPresent(Int.self, forKey: .numTrainTimesteps)
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        let sides = [sampleHeight, sampleWidth].compactMap(\.self)
        let isSquare = Set(sides).count == 1
        let sampleSize: PerLevel<Int>? =
            sides.count == 2 ? (isSquare ? .all(sides[0]) : .each(sides)) : nil
        try values.encode(sampleSize, forKey: .sampleSize)
        try values.encode(inChannels, forKey: .inChannels)
        try values.encode(outChannels, forKey: .outChannels)
        try values.encode(centerInputSample, forKey: .centerInputSample)
        try values.encode(timeEmbeddingType, forKey: .timeEmbeddingType)
        try values.encode(timeEmbeddingDim, forKey: .timeEmbeddingDim)
        try values.encode(freqShift, forKey: .freqShift)
        try values.encode(flipSinToCos, forKey: .flipSinToCos)
        try values.encode(downBlockTypes, forKey: .downBlockTypes)
        try values.encode(midBlockType, forKey: .midBlockType)
        try values.encode(upBlockTypes, forKey: .upBlockTypes)
        try values.encode(blockOutChannels, forKey: .blockOutChannels)
        try values.encode(layersPerBlock, forKey: .layersPerBlock)
        try values.encode(midBlockScaleFactor, forKey: .midBlockScaleFactor)
        try values.encode(downsamplePadding, forKey: .downsamplePadding)
        try values.encode(downsampleType, forKey: .downsampleType)
        try values.encode(upsampleType, forKey: .upsampleType)
        try values.encode(dropout, forKey: .dropout)
        try values.encode(actFn, forKey: .actFn)
        try values.encode(attentionHeadDim, forKey: .attentionHeadDim)
        try values.encode(normNumGroups, forKey: .normNumGroups)
        try values.encode(attnNormNumGroups, forKey: .attnNormNumGroups)
        try values.encode(normEps, forKey: .normEps)
        try values.encode(resnetTimeScaleShift, forKey: .resnetTimeScaleShift)
        try values.encode(addAttention, forKey: .addAttention)
        try values.encode(numTrainTimesteps, forKey: .numTrainTimesteps)
    }
}

extension KeyedDecodingContainer {
    /// Sets `value`, which holds the default, where the file has the key, also to null.
    fileprivate func readNullable<Value: Decodable>(_ key: Key, into value: inout Value?) throws {
        if contains(key) { value = try decodeIfPresent(Value.self, forKey: key) }
    }
}

/// Keys of `config.json` that change the model in ways that are not supported. Each may have its
/// default only.
struct UnsupportedUNet2DOptions: Decodable {
    var classEmbedType: String?
    var numClassEmbeds: Int?

    func check(path: String) throws {
        let values: [(key: String, value: String?)] = [
            ("class_embed_type", classEmbedType.map { "\"\($0)\"" }),
            ("num_class_embeds", numClassEmbeds.map(String.init)),
        ]
        for case (let key, let value?) in values {
            throw ConfigurationError.unsupported(
                path: path, key: key, value: value, supported: "null")
        }
    }
}
