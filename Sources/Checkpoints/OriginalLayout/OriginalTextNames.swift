/// The names of the text encoder in Stable Diffusion 1.x files: transformers' own.
struct OriginalCLIPNames: OriginalNames {
    /// The parts of the model; the first is what `CLIPTextModel` is for, the rest what it does without:
    /// 0, 1, 2, … as numbers, and CLIP's way from texts to pictures.
    private static let modules = ["embeddings.", "encoder.", "final_layer_norm."]
    private static let ignored: Set<String> = [
        "embeddings.position_ids", "text_projection.weight", "logit_scale",
    ]

    func placements(of stored: String) -> [Placement]? {
        let name =
            stored.hasPrefix("text_model.") ? String(stored.dropFirst("text_model.".count)) : stored
        if Self.ignored.contains(name) { return [] }
        guard Self.modules.contains(where: name.hasPrefix), ParameterName(name) != nil else {
            return nil
        }
        return [Placement(name: name)]
    }
}

/// The names of the text encoder in Stable Diffusion 2.x files, OpenCLIP's, as transformers'
/// `CLIPTextModel` has them. Answers to `convert_open_clip_checkpoint` in diffusers.
///
/// Stable Diffusion 2.x looks at the last layer but one, so the model in diffusers ends there.
struct OriginalOpenCLIPNames: OriginalNames {
    /// The last of the 24 layers of OpenCLIP's ViT-H, which goes unused.
    private static let unusedLayer = 23

    private static let ignored: Set<String> = ["text_projection", "logit_scale", "attn_mask"]

    private static let single = [
        "token_embedding.weight": "embeddings.token_embedding.weight",
        "positional_embedding": "embeddings.position_embedding.weight",
        "ln_final.weight": "final_layer_norm.weight", "ln_final.bias": "final_layer_norm.bias",
    ]

    private static let layerModules = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    ]

    /// Stored in this order, as one matrix and one vector.
    private static let projections = ["q_proj", "k_proj", "v_proj"]
    private static let fused = ["attn.in_proj_weight": "weight", "attn.in_proj_bias": "bias"]

    func placements(of stored: String) -> [Placement]? {
        if Self.ignored.contains(stored) { return [] }
        if let name = Self.single[stored] { return [Placement(name: name)] }
        let parts = stored.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 3, parts[0] == "transformer", parts[1] == "resblocks",
            let index = ParameterName.index(parts[2]),
            let placements = Self.placements(
                ofLayer: parts.dropFirst(3).joined(separator: "."),
                in: "encoder.layers.\(index)")
        else { return nil }
        return index == Self.unusedLayer ? [] : placements
    }

    private static func placements(ofLayer name: String, in layer: String) -> [Placement]? {
        if let parameter = fused[name] {
            return projections.enumerated().map { index, projection in
                Placement(
                    name: "\(layer).self_attn.\(projection).\(parameter)", form: .third(index))
            }
        }
        guard let name = ParameterName(name),
            let module = layerModules[name.module.joined(separator: ".")]
        else { return nil }
        return [Placement(name: "\(layer).\(module).\(name.parameter)")]
    }
}
