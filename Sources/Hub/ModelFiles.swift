import FoundationEssentials

/// Which of a model's files a pipeline needs.
///
/// Of each component its configuration and one set of weights, the one that `ComponentFolder` would
/// open where it is alone: safetensors before pickles, whole files before shards. No weights in other formats, no
/// checkpoints in the original layout, no pictures.
struct ModelFiles {
    let parts: HubParts
    /// Nil takes plain names, and where a component has none what it has in half precision.
    let variant: String?
    /// Takes plain weights where a component has none of the variant.
    let fallsBackToPlain: Bool

    /// - Parameters:
    ///   - names: the files that there are.
    ///   - contents: what a file says; asked of `model_index.json` and of indexes of shards.
    /// - Returns: what is needed, small files first: so that where the weights are, all is.
    /// - Throws: `HubError.missingFiles`, `.noWeights`, `.badAnswer`, or what `contents` throws.
    func needed(
        of id: String, among names: Set<String>, contents: (String) throws -> [UInt8]
    ) throws -> [String] {
        var small: [String] = []
        var weights: [String] = []
        if names.contains(Self.modelIndex) { small.append(Self.modelIndex) }
        for component in try components(names, contents) {
            let folder = names.filter { Self.folder(of: $0) == component }
            if Self.isWithoutWeights(component) {
                small += try Self.settings(of: id, component, folder)
                continue
            }
            let configuration = "\(component)/config.json"
            guard folder.contains(configuration) else {
                throw HubError.missingFiles(id: id, files: [configuration])
            }
            small.append(configuration)
            let file = try weightsFile(of: id, component, folder)
            guard file.hasSuffix(".json") else {
                weights.append(file)
                continue
            }
            small.append(file)
            let shards = try Self.shards(file, contents(file)).map { "\(component)/\($0)" }
            let missing = shards.filter { !folder.contains($0) }
            guard missing.isEmpty else { throw HubError.missingFiles(id: id, files: missing) }
            weights += shards
        }
        return small + weights
    }

    private static let modelIndex = "model_index.json"

    private static func folder(of name: String) -> String {
        name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
    }

    // MARK: - Components

    /// The folders to fetch from, in order.
    private func components(
        _ names: Set<String>, _ contents: (String) throws -> [UInt8]
    ) throws -> [String] {
        if parts == .autoencoder { return ["vae"] }
        guard names.contains(Self.modelIndex) else {
            return ["scheduler", "text_encoder", "tokenizer", "unet", "vae"]
        }
        let bytes = try contents(Self.modelIndex)
        guard let index = try? JSONDecoder().decode(ModelIndex.self, from: Data(bytes)) else {
            throw HubError.badAnswer(url: Self.modelIndex, reason: "It is no index of a model.")
        }
        return index.components.filter {
            parts == .wholeModelWithSafetyChecker
                || !["safety_checker", "feature_extractor"].contains($0)
        }
    }

    /// `model_index.json`: `"unet": ["diffusers", "UNet2DConditionModel"]`, or `[null, null]` for a
    /// component that the model does without.
    private struct ModelIndex: Decodable {
        let components: [String]

        private struct Key: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            components = container.allKeys.filter { key in
                // Other values, such as a version, are the pipeline's own settings.
                (try? container.decode([String].self, forKey: key))?.count == 2
                    && PlainName.isFileName(key.stringValue)
            }.map(\.stringValue).sorted()
        }
    }

    private static func isWithoutWeights(_ component: String) -> Bool {
        ["scheduler", "tokenizer", "feature_extractor", "image_processor"].contains {
            component.hasPrefix($0)
        }
    }

    /// All of a component without weights: a few small files.
    private static func settings(
        of id: String, _ component: String, _ folder: Set<String>
    ) throws -> [String] {
        func lacks(_ names: String...) -> [String] {
            names.map { "\(component)/\($0)" }.filter { !folder.contains($0) }
        }
        let missing =
            if component.hasPrefix("scheduler") {
                lacks("scheduler_config.json")
            } else if component.hasPrefix("tokenizer") {
                // Tokenizers of other kinds keep their vocabulary in one file.
                lacks("tokenizer.json").isEmpty || folder.contains { $0.hasSuffix(".model") }
                    ? [] : lacks("merges.txt", "vocab.json")
            } else {
                lacks("preprocessor_config.json")
            }
        guard missing.isEmpty else { throw HubError.missingFiles(id: id, files: missing) }
        return folder.filter { name in
            [".json", ".txt", ".model"].contains { name.hasSuffix($0) }
        }.sorted()
    }

    // MARK: - Weights

    private static let suffixes = ["safetensors", "bin"]
    /// What diffusers and transformers call a component's weights.
    private static let bases = [
        "safetensors": ["diffusion_pytorch_model", "model"],
        "bin": ["diffusion_pytorch_model", "pytorch_model"],
    ]

    /// The weights to take, a file or an index of shards.
    private func weightsFile(
        of id: String, _ component: String, _ folder: Set<String>
    ) throws -> String {
        let variants: [String?] =
            if let variant {
                fallsBackToPlain ? [variant, nil] : [variant]
            } else {
                [nil, "fp16", "bf16"]
            }
        for variant in variants {
            for name in Self.fileNames(variant) {
                let path = "\(component)/\(name)"
                if folder.contains(path) { return path }
            }
        }
        let found = folder.filter { name in Self.suffixes.contains { name.hasSuffix(".\($0)") } }
        throw HubError.noWeights(
            id: id, component: component, variant: variant, found: found.sorted())
    }

    /// Names of weights of one variant, best first.
    private static func fileNames(_ variant: String?) -> [String] {
        let part = variant.map { ".\($0)" } ?? ""
        return suffixes.flatMap { suffix -> [String] in
            let bases = bases[suffix] ?? []
            let whole = bases.map { "\($0)\(part).\(suffix)" }
            // A variant's index has two spellings: diffusers' of today and its legacy one.
            let indexes = bases.flatMap { base in
                [
                    "\(base).\(suffix).index\(part).json", "\(base)\(part).\(suffix).index.json",
                ]
            }
            return whole + indexes
        }
    }

    /// The files that an index names.
    private static func shards(_ index: String, _ bytes: [UInt8]) throws -> [String] {
        struct Contents: Decodable { let weight_map: [String: String] }
        guard let contents = try? JSONDecoder().decode(Contents.self, from: Data(bytes)) else {
            throw HubError.badAnswer(url: index, reason: "It is no index of weights.")
        }
        let shards = Set(contents.weight_map.values)
        if let bad = shards.first(where: { !PlainName.isFileName($0) }) {
            throw HubError.badAnswer(
                url: index, reason: "It names \(quoted(bad)), which is no file beside it.")
        }
        return shards.sorted()
    }
}
