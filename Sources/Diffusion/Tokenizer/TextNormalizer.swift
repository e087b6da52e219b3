/// What happens to a text before it is split into words: the normalizer of `CLIPTokenizer` in transformers
/// (NFC, then `\s+` becomes one space, then lower case).
enum TextNormalizer {
    static func normalize(_ text: some Collection<Unicode.Scalar>) -> [Unicode.Scalar] {
        var normalized: [Unicode.Scalar] = []
        normalized.reserveCapacity(text.count)
        var isInSpace = false
        for scalar in CanonicalComposition.compose(text) {
            if scalar.properties.isWhitespace {
                if !isInSpace { normalized.append(" ") }
                isInSpace = true
                continue
            }
            isInSpace = false
            if scalar.isASCII {
                let isUpper = ("A"..."Z").contains(scalar)
                normalized.append(
                    isUpper ? Unicode.Scalar(UInt8(ascii: scalar) | 0x20) : scalar)
            } else if scalar.properties.changesWhenLowercased {
                // Scalar by scalar, so a sigma at the end of a word is an ordinary one.
                normalized += scalar.properties.lowercaseMapping.unicodeScalars
            } else {
                normalized.append(scalar)
            }
        }
        return normalized
    }
}
