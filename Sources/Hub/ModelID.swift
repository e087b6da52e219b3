import Files

/// The name of a model on the hub: "owner/name", or "name" for some old ones.
struct ModelID: Equatable, CustomStringConvertible {
    let description: String

    /// - Throws: `HubError.invalidID` after the hub's own rules.
    init(_ text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        func refuse(_ reason: String) -> HubError { .invalidID(text, reason: reason) }
        guard parts.count <= 2 else { throw refuse("It has more than one slash.") }
        for part in parts {
            guard let first = part.utf8.first, let last = part.utf8.last else {
                throw refuse("A part of it is empty.")
            }
            guard part.utf8.count <= 96 else { throw refuse("A part of it is over 96 characters.") }
            guard part.utf8.allSatisfy({ Self.isWord($0) || $0 == Self.dash || $0 == Self.dot })
            else {
                throw refuse("Letters without accents, digits and - _ . are allowed.")
            }
            guard Self.isWord(first), Self.isWord(last) else {
                throw refuse("A part of it begins or ends with - or a point.")
            }
        }
        // "--" stands for the slash in names of cache folders.
        guard !text.contains("--"), !text.contains("..") else {
            throw refuse("-- and .. are not allowed.")
        }
        guard !text.hasSuffix(".git") else { throw refuse("It ends in .git.") }
        description = text
    }

    private static let dash = UInt8(ascii: "-")
    private static let dot = UInt8(ascii: ".")

    private static func isWord(_ byte: UInt8) -> Bool {
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }
}

/// A branch, a tag or a commit of a model.
struct Revision: Equatable, CustomStringConvertible {
    let description: String

    /// - Throws: `HubError.invalidRevision` where Git would not have it; it becomes the name of a
    ///   file.
    init(_ text: String) throws {
        guard PlainName.isRelativePath(text), !text.contains(".."), !text.hasPrefix("-"),
            !text.unicodeScalars.contains(where: { " ~^:?*[".unicodeScalars.contains($0) })
        else { throw HubError.invalidRevision(text) }
        description = text
    }

    /// Whether it names a commit in full, which never changes.
    var isCommit: Bool { Self.isCommit(description) }

    static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy(SHA256.isHexadecimal)
    }
}
