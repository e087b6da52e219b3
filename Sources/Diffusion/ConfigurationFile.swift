import Checkpoints
import FoundationEssentials

/// Reads one of the `config.json` files of a model in the diffusers layout.
enum ConfigurationFile {
    /// Real ones have a few kilobytes.
    private static let largestSize = 16 << 20

    /// Decodes a file whose keys are in snake_case.
    /// - Throws: `ConfigurationError` that names the file and, where it is a key's fault, the key.
    static func decode<Configuration: Decodable>(_ type: Configuration.Type, path: String) throws
        -> Configuration
    {
        try decode(type, from: contents(of: path), path: path, keys: .convertFromSnakeCase)
    }

    /// Decodes what a file holds.
    ///
    /// - Parameters:
    ///   - path: what errors name.
    ///   - allowsInfinity: whether it may have what Python writes beside JSON.
    static func decode<Configuration: Decodable>(
        _ type: Configuration.Type, from contents: Data, path: String,
        keys: JSONDecoder.KeyDecodingStrategy, allowsInfinity: Bool = false
    ) throws -> Configuration {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = keys
        var contents = contents
        if allowsInfinity {
            contents = Data(NonFiniteNumbers.quoted(in: contents))
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: NonFiniteNumbers.infinity,
                negativeInfinity: NonFiniteNumbers.negativeInfinity,
                nan: NonFiniteNumbers.notANumber)
        }
        do {
            return try decoder.decode(type, from: contents)
        } catch let error as DecodingError {
            throw ConfigurationError.unreadable(path: path, reason: describe(error))
        }
    }

    /// The text of such a file, its keys in order.
    static func text(_ configuration: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(configuration), as: UTF8.self)
    }

    /// The bytes of a file of ordinary size.
    /// - Throws: `ConfigurationError` that names the file.
    static func contents(of path: String) throws -> Data {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ConfigurationError.notFound(path: path)
        }
        guard !isFolder else {
            throw ConfigurationError.unreadable(path: path, reason: "it is a folder.")
        }
        do {
            // Mapped, so that the size is known before anything is read.
            let file = try MappedFile(path: path)
            guard file.count <= largestSize else {
                throw ConfigurationError.unreadable(
                    path: path, reason: "\(file.count) bytes are too many for a configuration.")
            }
            return try file.withBytes(in: 0..<file.count) { Data($0) }
        } catch CheckpointError.cannotOpen(_, let reason) {
            throw ConfigurationError.unreadable(path: path, reason: reason)
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return context.codingPath.isEmpty
                ? "it is no JSON object."
                : "\"\(key(context))\" is not the \(type) that it should be."
        case .keyNotFound(let key, _):
            return "the key \"\(snakeCase(key.stringValue))\" is missing."
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "it is not valid JSON, or a number in it is not a whole one of 64 bits."
                : "\"\(key(context))\": \(context.debugDescription)"
        @unknown default:
            return "it is not valid JSON."
        }
    }

    /// The key that an error is about, as the file spells it.
    private static func key(_ context: DecodingError.Context) -> String {
        context.codingPath.map { snakeCase($0.stringValue) }.joined(separator: ".")
    }

    private static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }
}

extension KeyedDecodingContainer {
    /// Sets `value`, which holds the default, where the file has the key.
    func read<Value: Decodable>(_ key: Key, into value: inout Value) throws {
        value = try decodeIfPresent(Value.self, forKey: key) ?? value
    }
}
