/// The versions of Unicode that the original's tokenizer was built with, which differ from step to step.
///
/// A scalar that such a version does not know yet is unassigned there: no letter, no digit, and never
/// composed or reordered. Lower-casing needs no entry: it uses the newest tables (17.0), as Swift does.
/// Compared for all 1,112,064 scalars with tokenizers 0.23.3 and Swift 6.3.
enum UnicodeVersions {
    /// Of the crate `unicode-normalization-alignments` 0.1.12, which composes.
    static let normalization = 9
    /// Of the regular expressions (Oniguruma and the crate `regex`), which know letters and digits.
    static let regularExpressions = 16
}

extension Unicode.Scalar {
    /// Whether the scalar was assigned in this major version of Unicode or before.
    func isAssigned(inUnicode version: Int) -> Bool {
        guard value > 0xFF else { return true }
        guard let age = properties.age else { return false }
        return age.major <= version
    }

    /// `\w` of the crate `regex`: what may be part of a word.
    var isWordScalar: Bool {
        guard isAssigned(inUnicode: UnicodeVersions.regularExpressions) else { return false }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default:
            return properties.isAlphabetic || properties.isJoinControl
        }
    }
}
