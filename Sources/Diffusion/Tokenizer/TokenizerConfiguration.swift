/// What a repository configures about its tokenizer: `tokenizer_config.json` and `TokenDeclarations`.
struct TokenizerConfiguration {
    enum Side: String {
        case left, right
    }

    /// A limit from which on transformers takes it that there is none (`LARGE_INTEGER`).
    private static let unlimited = 1e20
    /// A text model has 77 positions; this only keeps a broken file from filling the memory.
    private static let largestLength = 1 << 20

    /// How many tokens an encoded text has, with its start and end; nil where the repository sets no limit.
    let modelMaxLength: Int?
    let paddingSide: Side
    let truncationSide: Side
    /// Special tokens in a text are read as ordinary text.
    let splitsSpecialTokens: Bool
    let tokens: TokenDeclarations

    /// - Parameter serialized: the folder's `tokenizer.json`, if it has one.
    /// - Throws: `ConfigurationError` that names the file and the key.
    init(folder: String, serialized: SerializedTokenizer?) throws {
        let file = try ConfigurationMembers(path: "\(folder)/tokenizer_config.json")
        modelMaxLength = try Self.modelMaxLength(file)
        paddingSide = try Self.side(
            "padding_side", file, otherwise: serialized?.padding, named: "padding")
        truncationSide = try Self.side(
            "truncation_side", file, otherwise: serialized?.truncation, named: "truncation")
        splitsSpecialTokens = try file.bool("split_special_tokens") ?? false
        // Versions of tokenizer.json for versions of transformers.
        if let versions = file["fast_tokenizer_files"],
            versions != .list([.string("tokenizer.json")])
        {
            throw file.unsupported("fast_tokenizer_files", versions, "[\"tokenizer.json\"]")
        }
        tokens = try TokenDeclarations(folder: folder, configuration: file, serialized: serialized)
    }

    private static func modelMaxLength(_ file: ConfigurationMembers) throws -> Int? {
        let key = file.members["model_max_length"] == nil ? "max_len" : "model_max_length"
        guard let value = file[key] else { return nil }
        if case .number(let length) = value {
            if length > unlimited { return nil }
            // Two for the start and the end.
            if let length = Int(exactly: length), (2...largestLength).contains(length) {
                return length
            }
        }
        throw file.unsupported(key, value, "a whole number from 2 to \(largestLength)")
    }

    private static func side(
        _ key: String, _ file: ConfigurationMembers,
        otherwise serialized: SerializedTokenizer.Sided?,
        named: String
    ) throws -> Side {
        // tokenizer.json writes "Right".
        let value = try file.string(key) ?? serialized?.direction?.lowercased() ?? "right"
        guard let side = Side(rawValue: value) else {
            throw file.unsupported(key, .string(value), "\"left\" or \"right\"")
        }
        return side
    }
}
