import FoundationEssentials

/// What a `scheduler_config.json` says, key by key, whatever class it was written for.
///
/// Each scheduler reads the keys that it knows, with its own defaults for those that are absent, and
/// leaves the others, so that one file serves all schedulers, as in diffusers' `from_config`.
public struct SchedulerSettings: Equatable, Sendable {
    public enum Value: Equatable, Sendable, CustomStringConvertible {
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case numbers([Double])
        case texts([String])
        /// An explicit null, the same as an absent key.
        case null

        /// As in the file; a list by its length.
        public var description: String {
            switch self {
            case .bool(let bool): "\(bool)"
            case .integer(let integer): "\(integer)"
            case .number(let number): "\(number)"
            case .text(let text): "\"\(text)\""
            case .numbers(let numbers): "a list of \(numbers.count)"
            case .texts(let texts): "a list of \(texts.count)"
            case .null: "null"
            }
        }
    }

    /// `_class_name`: the scheduler that the file was written for.
    public var className: String?
    public var values: [String: Value]
    /// Those whose value nobody asked for but is the default of `className`. Another scheduler has its
    /// own default for them; diffusers calls them `_use_default_values`.
    public var defaultKeys: Set<String> = []
    /// What errors call the file.
    public var origin: String
    /// What whoever runs the model with these should hear of: that one of them was guessed.
    public var warning: String?

    public init(
        _ values: [String: Value] = [:], className: String? = nil,
        origin: String = "The scheduler's configuration"
    ) {
        self.values = values
        self.className = className
        self.origin = origin
    }

    /// Reads a `scheduler_config.json`.
    /// - Throws: `ConfigurationError` that names the file.
    public init(path: String) throws {
        try self.init(json: ConfigurationFile.contents(of: path), origin: path)
    }

    /// - Throws: `ConfigurationError` if it is no JSON object. Values of kinds that no scheduler
    ///   has are left out.
    public init(json: some Sequence<UInt8>, origin: String) throws {
        let content = try ConfigurationFile.decode(
            [String: AnyValue].self, from: Data(json), path: origin, keys: .useDefaultKeys,
            // `lambda_min_clipped` is -Infinity in many a file.
            allowsInfinity: true)
        var values = content.compactMapValues(\.value)
        var className: String?
        if case .text(let name) = values["_class_name"] { className = name }
        var defaultKeys: Set<String> = []
        if case .texts(let names) = values["_use_default_values"] { defaultKeys = Set(names) }
        values = values.filter { !$0.key.hasPrefix("_") }
        self.init(values, className: className, origin: origin)
        self.defaultKeys = defaultKeys
    }

    /// What was asked for alone.
    var withoutDefaults: SchedulerSettings {
        SchedulerSettings(
            values.filter { !defaultKeys.contains($0.key) }, className: className, origin: origin)
    }

    /// The same as the text of a `scheduler_config.json`, its keys in order. Infinity, which JSON does
    /// not have, is written as Python writes it.
    public func json() throws -> String { try json(version: nil) }

    /// - Parameter version: of diffusers whose files this one is like.
    func json(version: String?) throws -> String {
        var content = values.mapValues(AnyValue.init)
        content["_class_name"] = className.map { AnyValue(.text($0)) }
        content["_diffusers_version"] = version.map { AnyValue(.text($0)) }
        if !defaultKeys.isEmpty {
            content["_use_default_values"] = AnyValue(.texts(defaultKeys.sorted()))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let text = String(decoding: try encoder.encode(content), as: UTF8.self)
        // No setting has one of these as its text.
        return ["Infinity", "-Infinity", "NaN"].reduce(text) { text, number in
            text.replacing("\"\(number)\"", with: number)
        }
    }

    /// A value of JSON; nil if it is of a kind that no scheduler has (an object).
    private struct AnyValue: Codable {
        let value: Value?

        init(_ value: Value) { self.value = value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                value = .null
            } else if let bool = try? container.decode(Bool.self) {
                value = .bool(bool)
            } else if let integer = try? container.decode(Int.self) {
                value = .integer(integer)
            } else if let number = try? container.decode(Double.self) {
                value = .number(number)
            } else if let text = try? container.decode(String.self) {
                value = .text(text)
            } else if let numbers = try? container.decode([Double].self) {
                value = .numbers(numbers)
            } else {
                value = (try? container.decode([String].self)).map { .texts($0) }
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .bool(let bool): try container.encode(bool)
            case .integer(let integer): try container.encode(integer)
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .numbers(let numbers): try container.encode(numbers)
            case .texts(let texts): try container.encode(texts)
            case .null, nil: try container.encodeNil()
            }
        }
    }
}
