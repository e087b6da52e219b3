/// Splits a normalized text into the words that byte pairs are merged in.
///
/// As `CLIPTokenizer` in transformers does, with two regular expressions in turn:
/// `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`, then GPT-2's,
/// which takes apart only the two markers.
struct WordSplitter {
    typealias Text = ArraySlice<Unicode.Scalar>

    private enum Kind {
        case letter, digit, space, other
    }

    private static let markers = ["startoftext", "endoftext"].map { Array($0.unicodeScalars) }
    private static let suffixes = ["s", "t", "re", "ve", "m", "ll", "d"].map {
        Array($0.unicodeScalars)
    }

    /// Calls `body` with one word after the other. White space is left out.
    static func forEachWord(in text: Text, _ body: (Text) -> Void) {
        var position = text.startIndex
        while position < text.endIndex {
            let rest = text[position...]
            if let words = marker(at: rest) {
                for word in words { body(word) }
                position += words.reduce(0) { $0 + $1.count }
                continue
            }
            let word = contraction(at: rest) ?? run(at: rest)
            if let word { body(word) }
            position += word?.count ?? 1
        }
    }

    /// `<|startoftext|>` as `<|`, `startoftext` and `|>`.
    private static func marker(at text: Text) -> [Text]? {
        guard text.first == "<" else { return nil }
        let open = text.prefix(2)
        guard open.last == "|" else { return nil }
        for marker in markers {
            let name = text.dropFirst(2).prefix(marker.count)
            let close = text.dropFirst(2 + marker.count).prefix(2)
            if name.elementsEqual(marker), close.elementsEqual(["|", ">"]) {
                return [open, name, close]
            }
        }
        return nil
    }

    private static func contraction(at text: Text) -> Text? {
        guard text.first == "'" else { return nil }
        let rest = text.dropFirst()
        return suffixes.first { rest.starts(with: $0) }.map { text.prefix(1 + $0.count) }
    }

    /// A run of letters, one digit, or a run of what is neither; nothing at white space.
    private static func run(at text: Text) -> Text? {
        guard let first = text.first else { return nil }
        let kind = kind(of: first)
        switch kind {
        case .space: return nil
        case .digit: return text.prefix(1)
        case .letter, .other: return text.prefix { Self.kind(of: $0) == kind }
        }
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z": return .letter
            case "0"..."9": return .digit
            case " ", "\t"..."\r": return .space
            default: return .other
            }
        }
        if scalar.properties.isWhitespace { return .space }
        guard scalar.isAssigned(inUnicode: UnicodeVersions.regularExpressions) else {
            return .other
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            return .digit
        default:
            return .other
        }
    }
}
