/// The keys of a JSON file that may be absent, with errors that name the key.
struct ConfigurationMembers {
    let path: String
    var members: [String: JSONValue]

    /// - Throws: `ConfigurationError`, but not where the file is absent: then there are no keys.
    init(path: String) throws {
        self.path = path
        do {
            members = try ConfigurationFile.decode([String: JSONValue].self, path: path)
        } catch ConfigurationError.notFound(path) {
            members = [:]
        }
    }

    /// The value, or nil where it is absent or null.
    subscript(key: String) -> JSONValue? {
        members[key].flatMap { $0 == .null ? nil : $0 }
    }

    func unsupported(_ key: String, _ value: JSONValue, _ supported: String) -> ConfigurationError {
        .unsupported(path: path, key: key, value: "\(value)", supported: supported)
    }

    func string(_ key: String) throws -> String? {
        switch self[key] {
        case nil: return nil
        case .string(let value)?: return value
        case let other?: throw unsupported(key, other, "a string")
        }
    }

    func bool(_ key: String) throws -> Bool? {
        switch self[key] {
        case nil: return nil
        case .bool(let value)?: return value
        case let other?: throw unsupported(key, other, "true or false")
        }
    }

    func tokens(_ key: String) throws -> [AddedToken]? {
        switch self[key] {
        case nil: return nil
        case .list(let values)?:
            return try values.enumerated().map { index, value in
                try AddedToken(value, special: true, path: path, key: "\(key).\(index)")
            }
        case let other?: throw unsupported(key, other, "a list of tokens")
        }
    }
}
