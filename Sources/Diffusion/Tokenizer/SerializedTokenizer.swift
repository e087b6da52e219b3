/// `tokenizer.json`, as far as `CLIPTokenizer` of transformers follows it.
///
/// It takes the vocabulary, the merges, the added tokens and the sides of padding and truncation. The normalizer,
/// the splitting into words and the start and end tokens are always its own.
struct SerializedTokenizer: Decodable {
    struct Model: Decodable {
        let type: String?
        let vocab: [String: Double]
        let merges: [Merge]
    }

    /// `"a b"` or `["a", "b"]`.
    struct Merge: Decodable {
        let left, right: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let tokens: [String]
            if let line = try? container.decode(String.self) {
                tokens = line.unicodeScalars.split(
                    separator: " ", omittingEmptySubsequences: false
                ).map { String($0) }
            } else {
                tokens = try container.decode([String].self)
            }
            guard tokens.count == 2 else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "\(tokens.count) tokens, not two.")
            }
            (left, right) = (tokens[0], tokens[1])
        }
    }

    struct Sided: Decodable {
        let direction: String?
    }

    let model: Model
    let addedTokens: [JSONValue]?
    let padding: Sided?
    let truncation: Sided?

    func check(path: String) throws {
        guard model.type == nil || model.type == "BPE" else {
            throw ConfigurationError.unsupported(
                path: path, key: "model.type", value: "\"\(model.type ?? "")\"",
                supported: "\"BPE\"")
        }
    }
}
