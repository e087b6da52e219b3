/// The tokens that are found before a text is split into words: `AddedVocabulary` of tokenizers.
struct AddedVocabulary: Sendable {
    typealias Text = ArraySlice<Unicode.Scalar>

    enum Segment {
        case text(Text)
        case token(Int)
    }

    private var tokens: [Int: AddedToken] = [:]
    private var ids: [String: Int] = [:]
    private var verbatim = TokenTrie()
    private var normalized = TokenTrie()
    /// Special tokens are read as ordinary text.
    private let splitsSpecialTokens: Bool

    /// - Parameters:
    ///   - added: a later one replaces an earlier one of the same content.
    ///   - vocabulary: gives the ids; a token that it lacks gets the next number after its count.
    init(_ added: [AddedToken], vocabulary: [String: Int], splitsSpecialTokens: Bool) {
        self.splitsSpecialTokens = splitsSpecialTokens
        var next = vocabulary.count
        for token in added where !token.content.isEmpty {
            let known = ids[token.content] ?? vocabulary[token.content]
            let id = known ?? next
            if known == nil { next += 1 }
            ids[token.content] = id
            tokens[id] = token
        }
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            let content = Array(token.content.unicodeScalars)
            if token.isNormalized {
                normalized.insert(TextNormalizer.normalize(content), value: id)
            } else {
                verbatim.insert(content, value: id)
            }
        }
    }

    var largestID: Int { tokens.keys.max() ?? 0 }

    /// What the token is found as.
    func text(of id: Int) -> String? {
        guard let token = tokens[id] else { return nil }
        guard token.isNormalized else { return token.content }
        return String(
            String.UnicodeScalarView(TextNormalizer.normalize(token.content.unicodeScalars)))
    }

    func id(of content: String) -> Int? { ids[content] }

    /// Finds the tokens in a text as it was written, normalizes what is between them and finds the others there.
    /// - Returns: the tokens and the normalized text between them.
    func split(_ text: [Unicode.Scalar]) -> [Segment] {
        segments(of: text[...], at: verbatim).flatMap { segment -> [Segment] in
            guard case .text(let piece) = segment else { return [segment] }
            return segments(of: TextNormalizer.normalize(piece)[...], at: normalized)
        }
    }

    private func segments(of text: Text, at trie: TokenTrie) -> [Segment] {
        var segments: [Segment] = []
        var done = text.startIndex
        var position = text.startIndex
        while let (match, id) = trie.firstMatch(in: text, from: position) {
            position = match.upperBound
            guard let token = tokens[id], !(splitsSpecialTokens && token.special),
                !token.singleWord || stands(alone: match, in: text)
            else { continue }
            var (start, end) = (match.lowerBound, match.upperBound)
            if token.stripsLeft {
                while start > done, text[start - 1].properties.isWhitespace { start -= 1 }
            }
            if token.stripsRight {
                while end < text.endIndex, text[end].properties.isWhitespace { end += 1 }
            }
            if done < start { segments.append(.text(text[done..<start])) }
            segments.append(.token(id))
            done = end
        }
        if done < text.endIndex { segments.append(.text(text[done...])) }
        return segments
    }

    private func stands(alone match: Range<Int>, in text: Text) -> Bool {
        let before = text[..<match.lowerBound].last
        let after = text[match.upperBound...].first
        return before?.isWordScalar != true && after?.isWordScalar != true
    }
}
