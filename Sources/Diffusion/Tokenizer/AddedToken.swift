/// A token that is found in the text itself, before its words are split: `AddedToken` of tokenizers.
struct AddedToken: Equatable, Sendable {
    /// Longer ones are refused: no real one has a tenth of it, and a search stays linear in the text.
    static let largestLength = 1024

    var content: String
    /// Is found only where no letter, digit, mark or underscore is beside it.
    var singleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space after it along.
    var stripsRight = false
    /// Whether it is searched, normalized itself, in the normalized text; nil: unless it is special.
    var normalized: Bool?
    var special: Bool

    var isNormalized: Bool { normalized ?? !special }

    /// A token that a configuration file names by its content alone.
    init(special content: String) {
        self.content = content
        special = true
    }

    /// - Parameters:
    ///   - value: a string or an object as transformers writes it.
    ///   - special: what the file says by its place, if that counts more than the key.
    /// - Throws: `ConfigurationError` naming the file and the key.
    init(_ value: JSONValue, special: Bool? = nil, path: String, key: String) throws {
        func unsupported(_ key: String, _ value: JSONValue?, _ supported: String) -> any Error {
            ConfigurationError.unsupported(
                path: path, key: key, value: "\(value ?? .null)", supported: supported)
        }
        switch value {
        case .string(let content):
            self.init(special: content)
        case .object(let members):
            guard case .string(let content)? = members["content"] else {
                throw unsupported("\(key).content", members["content"], "a string")
            }
            func flag(_ name: String) throws -> Bool? {
                switch members[name] {
                case nil: return nil
                case .bool(let value)?: return value
                case let other: throw unsupported("\(key).\(name)", other, "true or false")
                }
            }
            self.init(special: content)
            singleWord = try flag("single_word") ?? false
            stripsLeft = try flag("lstrip") ?? false
            stripsRight = try flag("rstrip") ?? false
            normalized = try flag("normalized")
            self.special = try special ?? flag("special") ?? false
        default:
            throw unsupported(key, value, "a token's text or description")
        }
        guard content.utf8.count <= Self.largestLength else {
            throw unsupported(
                key, .string("\(content.prefix(20))…"),
                "a token of at most \(Self.largestLength) bytes")
        }
    }
}
