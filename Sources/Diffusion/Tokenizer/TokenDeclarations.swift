/// The special and added tokens of a repository, read as `CLIPTokenizer.from_pretrained` of transformers 5 does.
///
/// If `tokenizer_config.json` has the key `added_tokens_decoder`, as newer repositories have, it counts alone.
/// Otherwise `special_tokens_map.json` overrides its keys, and `added_tokens.json` and `tokenizer.json` add tokens.
/// So it comes that in Stable Diffusion 2 "!" is the padding token.
struct TokenDeclarations {
    /// Begins every encoded text.
    private(set) var start = ""
    /// Ends every encoded text.
    private(set) var end = ""
    private(set) var padding = ""
    /// Stands for bytes that the vocabulary lacks.
    private(set) var unknown: String?
    /// In the order in which they are added: of two with the same content the later one counts.
    private(set) var added: [AddedToken] = []

    /// The keys of the named tokens in transformers' order.
    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]
    /// What `CLIPTokenizer` calls those that it needs.
    private static let standard = [
        "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    ]

    /// The file that a token's name comes from, for errors.
    private var named: [String: (value: JSONValue, path: String)] = [:]
    private var extra: [AddedToken] = []
    /// Tokens with the number that the repository gives them, which only orders them.
    private var numbered: [Int: AddedToken] = [:]

    /// - Throws: `ConfigurationError` that names the file and the key.
    init(
        folder: String, configuration: ConfigurationMembers, serialized: SerializedTokenizer?
    ) throws {
        try read(configuration)
        if let decoder = configuration["added_tokens_decoder"] {
            try readDecoder(decoder, configuration)
        } else {
            try read(ConfigurationMembers(path: "\(folder)/special_tokens_map.json"))
            try readAddedTokens(ConfigurationMembers(path: "\(folder)/added_tokens.json"))
            try readSerialized(serialized, path: "\(folder)/tokenizer.json")
        }
        try resolve(path: configuration.path)
    }

    /// Takes over the tokens that a file names and lists.
    private mutating func read(_ file: ConfigurationMembers) throws {
        for (key, value) in file.members where key.hasSuffix("_token") {
            switch value {
            // `add_bos_token` and the like are switches.
            case .bool, .number, .list, .null:
                if Self.names.contains(key) { named[key] = (value, file.path) }
            case .string, .object:
                named[key] = (value, file.path)
            }
        }
        var listed: [AddedToken]?
        if case .object(let tokens)? = file["extra_special_tokens"] {
            for (key, value) in tokens { named[key] = (value, file.path) }
        } else {
            listed = try file.tokens("extra_special_tokens")
        }
        if listed?.isEmpty != false {
            listed = try file.tokens("additional_special_tokens") ?? listed
        }
        extra += (listed ?? []).filter { !extra.contains($0) }
    }

    /// `added_tokens_decoder`: tokens by their number.
    private mutating func readDecoder(_ value: JSONValue, _ file: ConfigurationMembers) throws {
        let key = "added_tokens_decoder"
        guard case .object(let tokens) = value else {
            throw file.unsupported(key, value, "an object of tokens by their numbers")
        }
        for (number, token) in tokens {
            guard let index = Int(number) else {
                throw file.unsupported(key, .string(number), "a number as key")
            }
            guard case .object = token else {
                throw file.unsupported("\(key).\(number)", token, "a token's description")
            }
            numbered[index] = try AddedToken(token, path: file.path, key: "\(key).\(number)")
        }
    }

    /// `added_tokens.json`: numbers by token, as textual inversion saves them.
    private mutating func readAddedTokens(_ file: ConfigurationMembers) throws {
        let special = Set(
            try Self.names.compactMap { try token(named: $0, orStandard: false)?.content }
                + extra.map(\.content))
        for (content, value) in file.members {
            guard case .number(let number) = value, let index = Int(exactly: number) else {
                throw file.unsupported(content, value, "a whole number")
            }
            var token = try AddedToken(.string(content), path: file.path, key: content)
            token.special = special.contains(content)
            token.normalized = !token.special
            numbered[index] = token
        }
    }

    private mutating func readSerialized(_ file: SerializedTokenizer?, path: String) throws {
        for (index, value) in (file?.addedTokens ?? []).enumerated() {
            let key = "added_tokens.\(index)"
            guard case .object(let members) = value, case .number(let number)? = members["id"],
                let id = Int(exactly: number)
            else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: "a token with its \"id\"")
            }
            numbered[id] = try AddedToken(value, path: path, key: key)
        }
    }

    private func token(named key: String, orStandard: Bool = true) throws -> AddedToken? {
        guard let (value, path) = named[key] else {
            return orStandard ? Self.standard[key].map { AddedToken(special: $0) } : nil
        }
        return value == .null ? nil : try AddedToken(value, path: path, key: key)
    }

    private mutating func resolve(path: String) throws {
        func required(_ key: String) throws -> String {
            guard let content = try token(named: key)?.content, !content.isEmpty else {
                throw ConfigurationError.unsupported(
                    path: named[key]?.path ?? path, key: key,
                    value: "\(named[key]?.value ?? .null)", supported: "a token")
            }
            return content
        }
        start = try required("bos_token")
        end = try required("eos_token")
        padding = try required("pad_token")
        unknown = try token(named: "unk_token")?.content
        let keys = Self.names + named.keys.filter { !Self.names.contains($0) }.sorted()
        let namedTokens = try keys.compactMap { try token(named: $0) }
        let specialContents = Set(namedTokens.map(\.content))
        added = numbered.sorted { $0.key < $1.key }.map(\.value)
        let known = Set(added.map(\.content))
        added += (namedTokens + extra).filter { !known.contains($0.content) }
        for index in added.indices where specialContents.contains(added[index].content) {
            added[index].special = true
        }
    }
}
