/// The autoencoder's names in the original layout, as diffusers' `AutoencoderKL` has them. Answers to
/// `convert_ldm_vae_checkpoint` in diffusers.
///
/// The original counts the decoder's levels from the picture's size down, diffusers in the order in
/// which they run. Its attention is made of 1×1 convolutions, diffusers' of linear layers.
struct OriginalAutoencoderNames: OriginalNames {
    private let decoderLevels: Int

    /// - Parameter names: all of the autoencoder, without its prefix.
    init(_ names: some Sequence<String>) {
        var levels: Set<Int> = []
        for name in names.compactMap(ParameterName.init) where name.module.count > 2 {
            guard name.module[0] == "decoder", name.module[1] == "up",
                let level = ParameterName.index(name.module[2])
            else { continue }
            levels.insert(level)
        }
        decoderLevels = levels.count
    }

    // MARK: - Rules

    /// What only training needs: the losses' own networks, and a second, averaged set of weights.
    private static let ignored = ["loss.", "model_ema."]

    private static let singleModules = [
        "conv_in": "conv_in", "norm_out": "conv_norm_out", "conv_out": "conv_out",
    ]

    private static let resnetModules = [
        "norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2",
        "nin_shortcut": "conv_shortcut",
    ]

    private static let attentionModules = [
        "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]

    func placements(of stored: String) -> [Placement]? {
        if Self.ignored.contains(where: stored.hasPrefix) { return [] }
        guard let name = ParameterName(stored) else { return nil }
        let module = name.module
        if module == ["quant_conv"] || module == ["post_quant_conv"] {
            return [Placement(name: stored)]
        }
        guard module.count > 1, module[0] == "encoder" || module[0] == "decoder" else { return nil }
        let place = module.dropFirst()
        if place.starts(with: ["mid", "attn_1"]), place.count == 3,
            let projection = Self.attentionModules[module[3]]
        {
            return [
                Placement(
                    name: "\(module[0]).mid_block.attentions.0.\(projection).\(name.parameter)",
                    form: name.parameter == "weight" ? .matrixOfKernel : .asStored)
            ]
        }
        return self.module(Array(place), isDecoder: module[0] == "decoder").map {
            [Placement(name: "\(module[0]).\($0).\(name.parameter)")]
        }
    }

    /// - Parameter place: within the encoder or decoder.
    private func module(_ place: [String], isDecoder: Bool) -> String? {
        switch (place[0], place.count) {
        case (_, 1): return Self.singleModules[place[0]]
        case ("mid", 3):
            switch place[1] {
            case "block_1": return Self.resnet(place[2], in: "mid_block.resnets.0")
            case "block_2": return Self.resnet(place[2], in: "mid_block.resnets.1")
            case "attn_1" where place[2] == "norm": return "mid_block.attentions.0.group_norm"
            default: return nil
            }
        case (isDecoder ? "up" : "down", 4...):
            guard let level = level(place[1], isDecoder: isDecoder) else { return nil }
            return levelModule(
                place.dropFirst(2), in: "\(isDecoder ? "up" : "down")_blocks.\(level)",
                sampler: isDecoder ? "upsample" : "downsample")
        default: return nil
        }
    }

    private func level(_ text: String, isDecoder: Bool) -> Int? {
        guard let stored = ParameterName.index(text) else { return nil }
        guard isDecoder else { return stored }
        return stored < decoderLevels ? decoderLevels - 1 - stored : nil
    }

    private func levelModule(
        _ parts: ArraySlice<String>, in block: String, sampler: String
    ) -> String? {
        if Array(parts) == [sampler, "conv"] { return "\(block).\(sampler)rs.0.conv" }
        guard parts.count == 3, parts.first == "block",
            let layer = ParameterName.index(parts[parts.startIndex + 1]), let module = parts.last
        else { return nil }
        return Self.resnet(module, in: "\(block).resnets.\(layer)")
    }

    private static func resnet(_ module: String, in block: String) -> String? {
        resnetModules[module].map { "\(block).\($0)" }
    }
}
