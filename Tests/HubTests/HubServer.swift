import Files
import Foundation
import TestSupport

@testable import Hub

/// A hub of its own on this machine: `hub_server.py`, which describes models and faults.
final class HubServer {
    struct Model: Decodable {
        let commit: String
        let etags, hashes: [String: String]
    }

    struct Request: Decodable {
        let host, method, path: String
        let range, token, proxied: String?
    }

    /// Values of JSON.
    enum Value: Encodable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByBooleanLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
        ExpressibleByNilLiteral
    {
        case string(String)
        case int(Int)
        case bool(Bool)
        case object([String: Value])
        case array([Value])
        case null

        init(stringLiteral value: String) { self = .string(value) }
        init(integerLiteral value: Int) { self = .int(value) }
        init(booleanLiteral value: Bool) { self = .bool(value) }
        init(dictionaryLiteral elements: (String, Value)...) {
            self = .object(Dictionary(elements) { _, last in last })
        }
        init(arrayLiteral elements: Value...) { self = .array(elements) }
        init(nilLiteral: ()) { self = .null }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .string(let value): try container.encode(value)
            case .int(let value): try container.encode(value)
            case .bool(let value): try container.encode(value)
            case .object(let value): try container.encode(value)
            case .array(let value): try container.encode(value)
            case .null: try container.encodeNil()
            }
        }
    }

    struct NoServer: Error {}

    let endpoint: String
    let models: [String: Model]
    /// Also a home for what is fetched from the server.
    let scratch: TemporaryFolder
    private let process = Process()
    private let input = Pipe()

    /// - Parameter models: as `models.json`.
    init(_ models: [String: Value] = ["owner/model": .model()]) throws {
        scratch = try TemporaryFolder()
        try scratch.write(JSONEncoder().encode(models), to: "models.json")
        process.executableURL = try PythonReference.interpreter()
        // Without the packages of the virtual environment, which it does not need, it starts at once.
        process.arguments = [
            "-IS",
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("hub_server.py").path, scratch.path,
        ]
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw NoServer() }
            line += more
        }
        struct Start: Decodable {
            let hub: Int
            let models: [String: Model]
        }
        let start = try JSONDecoder().decode(Start.self, from: line)
        endpoint = "http://127.0.0.1:\(start.hub)"
        self.models = start.models
    }

    deinit {
        // The end of its input is its own.
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// What goes wrong from now on, as `faults.json`.
    func set(_ faults: [String: Value]) throws {
        try JSONEncoder().encode(faults).write(
            to: URL(fileURLWithPath: scratch.file("faults.json")), options: .atomic)
    }

    /// What was asked since the start.
    func requests() throws -> [Request] {
        guard FileManager.default.fileExists(atPath: scratch.file("requests.jsonl")) else {
            return []
        }
        return try scratch.read("requests.jsonl").split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Request.self, from: Data($0))
        }
    }

    func commit(of model: String = "owner/model") -> String { models[model]?.commit ?? "" }

    // MARK: - Clients

    var cache: String { scratch.file("cache") }

    /// Variables for a program that is to use this server.
    func environment(_ more: [String: String] = [:]) -> [String: String] {
        ["HOME": scratch.path, "HF_ENDPOINT": endpoint, "HF_HUB_CACHE": cache]
            .merging(more) { _, new in new }
    }

    /// A client that does not wait long.
    func client(_ more: [String: String] = [:]) -> HubClient {
        var retry = RetryPolicy()
        retry.firstPause = 0.01
        retry.longestPause = 0.05
        return HubClient(environment: environment(more), retry: retry)
    }

    /// The files of a snapshot whose contents are those of the server, in order; nothing where one
    /// differs.
    func rightFiles(_ folder: String, of model: String = "owner/model") throws -> [String] {
        let files = FileSystem.files(under: folder)
        for file in files {
            var hash = SHA256()
            try bytes(ofFile: "\(folder)/\(file)").withUnsafeBytes { hash.add($0) }
            guard hash.hexDigest == models[model]?.hashes[file] else { return ["wrong: \(file)"] }
        }
        return files.sorted()
    }

    /// Names in the folder of blobs.
    func blobs(of model: String = "owner/model") -> [String] {
        let folder = "models--" + model.replacingOccurrences(of: "/", with: "--")
        return FolderContents.names(in: "\(cache)/\(folder)/blobs")
    }
}

extension HubServer.Value {
    /// A model in the layout of diffusers with weights of a few kilobytes, and with files around it
    /// that no pipeline needs.
    static func model(
        weights: Int = 20_000, adding more: [String: HubServer.Value] = [:],
        removing fewer: Set<String> = [], gated: String? = nil, isPrivate: String? = nil
    ) -> HubServer.Value {
        var files: [String: HubServer.Value] = [
            "README.md": "# A model",
            "model.ckpt": .int(weights + 1),
            "v1-inference.yaml": "model:",
            "sample.png": .int(weights + 2),
            "model_index.json": .string(
                """
                {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
                "feature_extractor": ["transformers", "CLIPFeatureExtractor"],
                "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
                "scheduler": ["diffusers", "PNDMScheduler"], "image_encoder": [null, null],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "unet": ["diffusers", "UNet2DConditionModel"], "requires_safety_checker": true,
                "vae": ["diffusers", "AutoencoderKL"]}
                """),
            "feature_extractor/preprocessor_config.json": "{}",
            "scheduler/scheduler_config.json": "{\"steps_offset\": 1}",
            "tokenizer/merges.txt": "#version: 0.2",
            "tokenizer/vocab.json": "{\"a\": 0}",
            "tokenizer/special_tokens_map.json": "{ }",
            "tokenizer/tokenizer_config.json": "{  }",
        ]
        for (place, name) in [
            ("vae", "diffusion_pytorch_model"), ("unet", "diffusion_pytorch_model"),
            ("text_encoder", "model"), ("safety_checker", "model"),
        ] {
            let pickle = name == "model" ? "pytorch_model" : name
            files["\(place)/config.json"] = .string("{\"of\": \"\(place)\"}")
            files["\(place)/\(name).safetensors"] = .int(weights)
            files["\(place)/\(name).fp16.safetensors"] = .int(weights / 2)
            files["\(place)/\(pickle).bin"] = .int(weights + 3)
            files["\(place)/\(pickle).fp16.bin"] = .int(weights / 2 + 3)
            files["\(place)/flax_model.msgpack"] = .int(weights + 4)
        }
        files.merge(more) { _, new in new }
        for name in fewer { files[name] = nil }
        var description: [String: HubServer.Value] = ["files": .object(files)]
        if let gated { description["gated"] = .string(gated) }
        if let isPrivate { description["private"] = .string(isPrivate) }
        return .object(description)
    }
}

/// What a whole model without safety checker comes to.
let wholeModel = [
    "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
    "text_encoder/model.safetensors", "tokenizer/merges.txt", "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json", "tokenizer/vocab.json", "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
]
