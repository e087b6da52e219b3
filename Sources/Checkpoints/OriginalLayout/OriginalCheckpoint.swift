import Torch

/// A single file in the layout of the original Stable Diffusion (CompVis, Stability AI), versions 1.x
/// and 2.x: autoencoder, text encoder and UNet in one `.safetensors` or `.ckpt`.
///
/// Each part is given under the names that diffusers and transformers have for it. The weights are
/// the model's own, not the averaged ones that some files have beside them under `model_ema.`.
public final class OriginalCheckpoint {
    /// A part of the model.
    public enum Part: String, CaseIterable, Sendable {
        case autoencoder
        case textEncoder = "text encoder"
        case unet = "UNet"
    }

    /// Which text encoder it is.
    public enum TextEncoder: Sendable {
        /// CLIP ViT-L as transformers has it: Stable Diffusion 1.x.
        case clip
        /// OpenCLIP ViT-H: Stable Diffusion 2.x.
        case openCLIP
    }

    public let path: String
    /// Nil if the file has none.
    public let textEncoder: TextEncoder?
    /// How many steps the model was trained, where a `.ckpt` tells.
    public let globalStep: Int?
    /// The free texts that the writer of a `.safetensors` left.
    public let metadata: [String: String]

    private let parts: [Part: RecastSource]

    /// - Throws: `CheckpointError.unknownLayout`, which says what the file seems to be; or what is wrong
    ///   with the file.
    public init(path: String, in library: LibTorch) throws {
        self.path = path
        let source: any TensorSource
        if path.hasSuffix(".safetensors") {
            let file = try SafetensorsFile(path: path, in: library)
            (source, metadata, globalStep) = (file, file.metadata, nil)
        } else {
            let file = try TorchFile(path: path, in: library)
            (source, metadata, globalStep) = (file, [:], file.integers["global_step"])
        }
        let content = try Self.content(of: source)
        (parts, textEncoder) = (content.parts, content.textEncoder)
    }

    /// The tensors of one part, named as in diffusers.
    /// - Throws: `CheckpointError.unknownLayout` if the file lacks the part.
    public func source(of part: Part) throws -> any TensorSource {
        guard let source = parts[part] else {
            throw CheckpointError.unknownLayout(
                path: path, reason: "It holds no \(part.rawValue).")
        }
        return source
    }

    // MARK: - Names

    /// A part as it is stored.
    private struct Scope {
        let part: Part
        let prefix: String
        /// The rules, given all names without the prefix.
        let rules: ([String]) -> any OriginalNames
    }

    private static let clipPrefix = "cond_stage_model.transformer."
    private static let openCLIPPrefix = "cond_stage_model.model."
    private static let unetPrefix = "model.diffusion_model."

    private static var scopes: [Scope] {
        [
            Scope(part: .autoencoder, prefix: "first_stage_model.") {
                OriginalAutoencoderNames($0)
            },
            Scope(part: .textEncoder, prefix: clipPrefix) { _ in OriginalCLIPNames() },
            Scope(part: .textEncoder, prefix: openCLIPPrefix) { _ in OriginalOpenCLIPNames() },
            Scope(part: .unet, prefix: unetPrefix) { OriginalUNetNames($0) },
        ]
    }

    /// What no part needs: the tables of the noise schedule, which follow from its settings; numbers of
    /// training; and CLIP's way from texts to pictures.
    private static let ignored: Set<String> = [
        "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
        "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2",
        "lvlb_weights", "logvar", "scale_factor", "global_step",
        "cond_stage_model.logit_scale", "cond_stage_model.text_projection",
    ]

    /// The averaged weights, and how they were averaged.
    private static let averagedPrefix = "model_ema."

    private static func content(
        of source: any TensorSource
    ) throws -> (parts: [Part: RecastSource], textEncoder: TextEncoder?) {
        try checkChannels(of: source)
        var placements: [Part: [(stored: String, placement: Placement)]] = [:]
        var unknown: [String] = []
        var rest = source.names.filter {
            !ignored.contains($0) && !$0.hasPrefix(averagedPrefix)
        }
        var prefixes: Set<String> = []
        for scope in scopes {
            let names = rest.filter { $0.hasPrefix(scope.prefix) }
            guard !names.isEmpty else { continue }
            rest.removeAll { $0.hasPrefix(scope.prefix) }
            prefixes.insert(scope.prefix)
            let rules = scope.rules(names.map { String($0.dropFirst(scope.prefix.count)) })
            for name in names {
                guard let places = rules.placements(of: String(name.dropFirst(scope.prefix.count)))
                else {
                    unknown.append(name)
                    continue
                }
                placements[scope.part, default: []] += places.map { (name, $0) }
            }
        }
        unknown += rest
        let path = source.location
        guard unknown.isEmpty, !placements.isEmpty else {
            let kind = ForeignLayout.kind(of: source.names)
            throw CheckpointError.unknownLayout(
                path: path,
                reason: kind.map { "It seems to be \($0)." }
                    ?? (unknown.isEmpty
                        ? "It holds no weights." : "No rule knows \(listed(unknown.sorted()))."))
        }
        guard !prefixes.isSuperset(of: [clipPrefix, openCLIPPrefix]) else {
            throw CheckpointError.unknownLayout(
                path: path, reason: "It holds two text encoders, of versions 1.x and 2.x.")
        }
        let parts = try placements.map { part, placements in
            (
                part,
                try RecastSource(
                    source, location: "\(path) (\(part.rawValue), named as in diffusers)",
                    placements: placements)
            )
        }
        let textEncoder: TextEncoder? =
            prefixes.contains(clipPrefix)
            ? .clip : prefixes.contains(openCLIPPrefix) ? .openCLIP : nil
        return (Dictionary(uniqueKeysWithValues: parts), textEncoder)
    }

    /// Models that take a picture or a mask beside the latents have the same names as those that do not.
    private static func checkChannels(of source: any TensorSource) throws {
        let first = "\(unetPrefix)input_blocks.0.0.weight"
        let last = "\(unetPrefix)out.2.weight"
        guard source.contains(first), source.contains(last) else { return }
        let taken = try source.spec(of: first).shape.dropFirst().first ?? 0
        let given = try source.spec(of: last).shape.first ?? 0
        guard taken == given else {
            throw CheckpointError.unknownLayout(
                path: source.location,
                reason: "It seems to be \(ForeignLayout.kind(ofUNetWithChannels: taken)).")
        }
    }
}
