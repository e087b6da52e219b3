import Torch

/// A model's configuration as its library writes it to `config.json`.
public protocol SavedConfiguration: Encodable, Sendable {
    /// Of the model in its library.
    static var className: String { get }
    static var library: ModelLibrary { get }
    /// The name under which that library has a tensor.
    static func savedName(_ name: String) -> String
}

extension SavedConfiguration {
    public static var library: ModelLibrary { .diffusers }
    public static func savedName(_ name: String) -> String { name }

    /// The text of `config.json`, defaults included.
    /// - Parameter dtype: of the weights beside it.
    func file(dtype: DType) throws -> String {
        try ConfigurationFile.text(
            ConfigurationWithFacts(
                configuration: self, facts: Self.library.facts(className: Self.className, dtype)))
    }
}

extension UNet2DConditionConfiguration: SavedConfiguration {
    public static var className: String { "UNet2DConditionModel" }
}

extension UNet2DConfiguration: SavedConfiguration {
    public static var className: String { "UNet2DModel" }
}

extension AutoencoderKLConfiguration: SavedConfiguration {
    public static var className: String { "AutoencoderKL" }
}

extension CLIPTextConfiguration: SavedConfiguration {
    public static var className: String { "CLIPTextModel" }
    public static var library: ModelLibrary { .transformers(modelType: "clip_text_model") }

    /// Under the prefix that every version of transformers reads; the newest do without.
    public static func savedName(_ name: String) -> String {
        let prefix = "text_model."
        return name.hasPrefix(prefix) ? name : prefix + name
    }
}

/// The library in Python that has a model, and so decides on its files.
public enum ModelLibrary: Hashable, Sendable {
    case diffusers
    /// Models are told by their type there.
    case transformers(modelType: String)

    /// As `model_index.json` calls it.
    public var name: String {
        switch self {
        case .diffusers: "diffusers"
        case .transformers: "transformers"
        }
    }

    /// What a model's weights are called.
    var weightsFile: String {
        switch self {
        case .diffusers: "diffusion_pytorch_model.safetensors"
        case .transformers: "model.safetensors"
        }
    }

    /// The version of diffusers whose files these are like.
    static let diffusersVersion = "0.35.0"

    /// What a configuration says beside a model's shape.
    fileprivate func facts(className: String, _ dtype: DType) -> [String: JSONValue] {
        switch self {
        case .diffusers:
            [
                "_class_name": .string(className),
                "_diffusers_version": .string(Self.diffusersVersion),
            ]
        case .transformers(let modelType):
            [
                "architectures": .list([.string(className)]), "model_type": .string(modelType),
                "torch_dtype": .string(dtype.rawValue),
            ]
        }
    }
}

/// One JSON object of a configuration's keys and some more.
private struct ConfigurationWithFacts<Configuration: Encodable>: Encodable {
    let configuration: Configuration
    let facts: [String: JSONValue]

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        for (name, fact) in facts { try values.encode(fact, forKey: Key(stringValue: name)) }
    }
}
