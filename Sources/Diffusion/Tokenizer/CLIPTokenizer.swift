/// Turns a prompt into the token ids that a CLIP text model takes: `CLIPTokenizer` of transformers.
///
/// The text is searched for special tokens, normalized (normal form C, single spaces, lower case), split into words, and
/// the bytes of each word are merged into tokens. The result begins with the start token and ends with the end token.
public struct CLIPTokenizer: Sendable {
    /// A text as tokens.
    public struct Encoding: Equatable, Sendable {
        /// The start token, the text's tokens as far as there is room, the end token, padding.
        public let ids: [Int]
        /// How many tokens the whole text takes, with its start and end, without padding.
        public let tokenCount: Int
        /// How many of the text's tokens had no room.
        public let lostTokenCount: Int
        /// What the tokens without room stand for, in lower case; empty where all had room.
        public let lostText: String
    }

    /// The repository's own length of an encoded text in tokens (77 in Stable Diffusion); nil where it sets none.
    public let modelMaxLength: Int?
    public let startID: Int
    public let endID: Int
    public let paddingID: Int
    /// One more than the largest id that can come out.
    public let vocabularySize: Int

    private let configuration: TokenizerConfiguration
    private let added: AddedVocabulary
    private let encoding: BytePairEncoding
    private let tokens: [Int: String]

    /// Reads the folder `tokenizer` of a model in the diffusers layout.
    ///
    /// It needs `tokenizer.json`, or `vocab.json` and `merges.txt`. `tokenizer_config.json`, `special_tokens_map.json` and
    /// `added_tokens.json` are followed where they are present.
    /// - Throws: `ConfigurationError` that names the file and the line or key.
    public init(folder: String) throws {
        let files = try TokenizerFiles(folder: folder)
        configuration = try TokenizerConfiguration(folder: folder, serialized: files.serialized)
        modelMaxLength = configuration.modelMaxLength
        let names = configuration.tokens
        let added = AddedVocabulary(
            names.added, vocabulary: files.vocabulary,
            splitsSpecialTokens: configuration.splitsSpecialTokens)
        self.added = added
        encoding = try BytePairEncoding(
            vocabulary: files.vocabulary, merges: files.merges, unknownToken: names.unknown,
            path: files.path)
        var tokens: [Int: String] = [:]
        for (token, id) in files.vocabulary { tokens[id] = token }
        self.tokens = tokens
        vocabularySize = max(tokens.keys.max() ?? 0, added.largestID) + 1
        func id(_ token: String) throws -> Int {
            guard let id = added.id(of: token) ?? files.vocabulary[token] else {
                throw ConfigurationError.unreadable(
                    path: files.path, reason: "it has no token \"\(token)\".")
            }
            return id
        }
        startID = try id(names.start)
        endID = try id(names.end)
        paddingID = try id(names.padding)
    }

    /// The text padded and truncated to `modelMaxLength`, or neither where the repository sets no length.
    public func encode(_ text: String) -> Encoding {
        encode(text, paddedTo: modelMaxLength)
    }

    /// - Parameters:
    ///   - text: a prompt.
    ///   - length: how many ids to return; at least 2, for the start and the end. nil: as many as the
    ///     text takes.
    public func encode(_ text: String, paddedTo length: Int?) -> Encoding {
        let all = ids(of: text)
        let room = length.map { max(0, $0 - 2) } ?? all.count
        let kept: ArraySlice<Int>
        let lost: ArraySlice<Int>
        switch configuration.truncationSide {
        case .right: (kept, lost) = (all.prefix(room), all.dropFirst(room))
        case .left: (kept, lost) = (all.suffix(room), all.dropLast(room))
        }
        let padding = Array(repeating: paddingID, count: length == nil ? 0 : room - kept.count)
        let text = [startID] + kept + [endID]
        return Encoding(
            ids: configuration.paddingSide == .right ? text + padding : padding + text,
            tokenCount: all.count + 2, lostTokenCount: lost.count, lostText: decode(lost))
    }

    /// The text that tokens stand for, with a space after each word. Ids that the vocabulary lacks are left out.
    public func decode(_ ids: some Sequence<Int>) -> String {
        let endOfWord = Array(BytePairEncoding.endOfWord.utf8)
        var bytes: [UInt8] = []
        for id in ids {
            // Added tokens are written as they are, not in the alphabet of bytes.
            if let text = added.text(of: id) {
                bytes += text.utf8
                continue
            }
            guard let token = tokens[id] else { continue }
            bytes += ByteLevelAlphabet.shared.bytes(of: token)
            if bytes.suffix(endOfWord.count) == endOfWord[...] {
                bytes.removeLast(endOfWord.count)
                bytes.append(UInt8(ascii: " "))
            }
        }
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        // Python's `strip`, which takes four control characters for white space.
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || ("\u{1C}"..."\u{1F}").contains(scalar)
        }
        let start = text.drop(while: isBlank)
        let end = start.lastIndex { !isBlank($0) }
        return end.map { String(start[...$0]) } ?? ""
    }

    /// The tokens of a text, without start and end.
    private func ids(of text: String) -> [Int] {
        var ids: [Int] = []
        // Words repeat in long texts. Only for this text: a prompt takes microseconds, a lock would not pay.
        var known: [[UInt8]: [Int]] = [:]
        for segment in added.split(Array(text.unicodeScalars)) {
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let text):
                WordSplitter.forEachWord(in: text) { scalars in
                    let word = scalars.flatMap { UTF8.encode($0).map(Array.init) ?? [] }
                    if let tokens = known[word] {
                        ids += tokens
                        return
                    }
                    let tokens = encoding.encode(word)
                    if word.count < 256 { known[word] = tokens }
                    ids += tokens
                }
            }
        }
        return ids
    }
}
