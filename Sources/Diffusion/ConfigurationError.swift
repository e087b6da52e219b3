/// A configuration file that cannot be followed.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file is missing.
    case notFound(path: String)
    /// The file cannot be read or is not the JSON object that is needed.
    case unreadable(path: String, reason: String)
    /// A value that this package does not know or that makes no sense.
    case unsupported(path: String, key: String, value: String, supported: String)

    public var description: String {
        switch self {
        case .notFound(let path):
            return """
                \(path) does not exist. A model folder in the diffusers layout is needed: a folder with \
                vae/config.json and so on.
                """
        case .unreadable(let path, let reason):
            return "\(path) cannot be read: \(reason)"
        case .unsupported(let path, let key, let value, let supported):
            return "\(path): \"\(key)\" is \(value); it must be \(supported)."
        }
    }
}
