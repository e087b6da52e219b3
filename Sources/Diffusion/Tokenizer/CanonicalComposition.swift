// Unicode's normal forms are in the standard library, but public only in Foundation, which brings 40 MB
// of ICU with it.
@_spi(_Unicode) import Swift

/// Unicode's normal form C as Rust's `unicode-normalization-alignments` computes it.
enum CanonicalComposition {
    /// The text in normal form C.
    static func compose(_ text: some Collection<Unicode.Scalar>) -> [Unicode.Scalar] {
        // Below U+0300 nothing composes or decomposes.
        guard text.contains(where: { $0.value >= 0x300 }) else { return Array(text) }
        var composed: [Unicode.Scalar] = []
        composed.reserveCapacity(text.count)
        var run = String.UnicodeScalarView()
        var marks: [Unicode.Scalar] = []
        func endMarks() {
            run.append(contentsOf: inCanonicalOrder(marks))
            marks.removeAll(keepingCapacity: true)
        }
        for scalar in text {
            if let decomposition = openingWithMarks[scalar] {
                marks += decomposition
            } else if !scalar.isAssigned(inUnicode: UnicodeVersions.normalization) {
                endMarks()
                composed += String(run)._nfc
                run.removeAll(keepingCapacity: true)
                composed.append(scalar)
            } else if scalar.properties.canonicalCombiningClass == .notReordered {
                endMarks()
                run.append(scalar)
            } else {
                marks.append(scalar)
            }
        }
        endMarks()
        composed += String(run)._nfc
        return composed
    }

    /// Scalars that are no marks but decompose to marks alone (`NonStarterDecompositions` in Unicode's
    /// `CompositionExclusions.txt`). Swift 6.3 does not reorder those marks with the ones around.
    private static let openingWithMarks: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\u{F73}": ["\u{F71}", "\u{F72}"],
        "\u{F75}": ["\u{F71}", "\u{F74}"],
        "\u{F81}": ["\u{F71}", "\u{F80}"],
    ]

    /// Swift sorts marks by insertion: fast for the few of real text, but 200,000 on one letter take
    /// 20 seconds unless they come sorted. Thirty is the limit of Unicode's stream-safe format.
    private static func inCanonicalOrder(_ marks: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard marks.count > 30 else { return marks }
        return marks.enumerated().sorted {
            let left = $0.element.properties.canonicalCombiningClass.rawValue
            let right = $1.element.properties.canonicalCombiningClass.rawValue
            return (left, $0.offset) < (right, $1.offset)
        }.map(\.element)
    }
}
