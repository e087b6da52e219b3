/// What a model in the diffusers layout is made of: its `model_index.json`.
public struct ModelIndex: Decodable, Equatable, Sendable {
    static let fileName = "model_index.json"

    /// The pipeline that the model is meant for, such as "StableDiffusionPipeline".
    public let pipelineClassName: String?
    /// The class of each component, such as "UNet2DConditionModel" of "unet". A component that the
    /// pipeline does without, `[null, null]` in the file, is not here.
    public let classNames: [String: String]

    public init(from decoder: any Decoder) throws {
        let values = try decoder.singleValueContainer().decode([String: JSONValue].self)
        if case .string(let name)? = values["_class_name"] {
            pipelineClassName = name
        } else {
            pipelineClassName = nil
        }
        // Beside components, which are pairs of library and class, the file has the pipeline's
        // settings: texts, numbers and truth values.
        classNames = values.compactMapValues { value in
            guard case .list(let pair) = value, pair.count == 2, case .string = pair[0],
                case .string(let name) = pair[1]
            else { return nil }
            return name
        }
    }

    /// Reads `model_index.json`.
    /// - Throws: `ConfigurationError` that names the file.
    public init(path: String) throws {
        self = try ConfigurationFile.decode(Self.self, path: path)
    }
}
