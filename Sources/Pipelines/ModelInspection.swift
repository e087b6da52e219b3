import Checkpoints
import Diffusion
import FoundationEssentials
import Torch

/// What a model in the diffusers layout consists of, and what is wrong with it. Weights are looked at,
/// not loaded.
public struct ModelInspection {
    /// One part of the model.
    public struct Part {
        /// Its folder's name, such as "unet".
        public let name: String
        /// The class that the model's index names, such as "UNet2DConditionModel".
        public let className: String?
        /// The file of its weights; nil for parts without, and where there is none.
        public internal(set) var file: String?
        /// The stored tensors in order of their names.
        public internal(set) var tensors: [(name: String, spec: TensorSpec)] = []
        /// What would keep it from being used, in words.
        public internal(set) var problems: [String] = []

        /// Number of elements of all tensors.
        public var parameterCount: Int {
            tensors.reduce(0) { $0 + $1.spec.shape.reduce(1, *) }
        }

        /// Size of all tensors in bytes, as they are stored.
        public var byteCount: Int {
            tensors.reduce(0) { $0 + $1.spec.shape.reduce(1, *) * $1.spec.dtype.byteCount }
        }

        /// The types in which tensors are stored, the one with most elements first.
        public var dtypes: [DType] {
            let counts = tensors.reduce(into: [DType: Int]()) { counts, tensor in
                counts[tensor.spec.dtype, default: 0] += tensor.spec.shape.reduce(1, *)
            }
            return counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
                .map(\.key)
        }
    }

    /// Those that the index names, or that there are folders of.
    public private(set) var parts: [Part] = []
    /// The class that the scheduler's file names.
    public private(set) var scheduler: String?

    /// - Parameter folder: in the diffusers layout.
    /// - Throws: `ConfigurationError` if there is no such folder or its index cannot be read;
    ///   `TorchError` without a usable libtorch. What is wrong with a part is in its `problems`.
    public init(folder: String) throws {
        let folders = ComponentFolders(model: folder)
        let index = try Self.index(of: folders, in: folder)
        let library = try LibTorch.shared()
        func add(
            _ name: String, at path: String, build: ((Weights) throws -> Void)? = nil,
            check: () throws -> Void = {}
        ) {
            guard index?.classNames[name] != nil || Self.isFolder(path) else { return }
            var part = Part(name: name, className: index?.classNames[name])
            do {
                if let build { try Self.inspect(&part, at: path, in: library, build) }
                try check()
            } catch {
                part.problems.append("\(error)")
            }
            parts.append(part)
        }

        add("vae", at: folders.autoencoder) { weights in
            let configuration = try AutoencoderKLConfiguration(
                path: "\(folders.autoencoder)/config.json")
            try AutoencoderKL(weights, configuration: configuration).load()
        }
        add("text_encoder", at: folders.textEncoder) { weights in
            let configuration = try CLIPTextConfiguration(
                path: "\(folders.textEncoder)/config.json")
            _ = try CLIPTextModel(weights, configuration: configuration, in: library)
        }
        add("unet", at: folders.unet) { weights in
            let configuration = try UNet2DConditionConfiguration(
                path: "\(folders.unet)/config.json")
            _ = try UNet2DConditionModel(weights, configuration: configuration, in: library)
        }
        add("safety_checker", at: folders.safetyChecker) { weights in
            let configuration = try StableDiffusionSafetyCheckerConfiguration(
                path: "\(folders.safetyChecker)/config.json")
            _ = try StableDiffusionSafetyChecker(weights, configuration: configuration)
        }
        add(
            "tokenizer", at: folders.tokenizer,
            check: {
                _ = try CLIPTokenizer(folder: folders.tokenizer)
            })
        var named: String?
        add(
            "scheduler", at: folders.scheduler,
            check: {
                let settings = try SchedulerSettings(
                    path: "\(folders.scheduler)/scheduler_config.json")
                named = settings.className
                _ = try Schedulers.scheduler(settings)
            })
        scheduler = named
        add(
            "feature_extractor", at: folders.featureExtractor,
            check: {
                _ = try CLIPImageProcessorConfiguration(
                    path: "\(folders.featureExtractor)/preprocessor_config.json")
            })
        let known = Set(parts.map(\.name))
        for (name, className) in (index?.classNames ?? [:]).sorted(by: { $0.key < $1.key })
        where !known.contains(name) {
            parts.append(
                Part(
                    name: name, className: className,
                    problems: ["This part is not known here, and not used."]))
        }
    }

    private static func index(of folders: ComponentFolders, in folder: String) throws -> ModelIndex?
    {
        guard isFolder(folder) else { throw ConfigurationError.notFound(path: folder) }
        guard FileManager.default.fileExists(atPath: folders.index) else { return nil }
        return try ModelIndex(path: folders.index)
    }

    /// Lists the stored tensors, then builds the model of them to see which are missing or too many.
    private static func inspect(
        _ part: inout Part, at path: String, in library: LibTorch,
        _ build: (Weights) throws -> Void
    ) throws {
        let source = try ComponentFolder.open(path, in: library)
        part.file = source.location
        part.tensors = try source.names.sorted().map { ($0, try source.spec(of: $0)) }
        let probe = ProbedSource(source, in: library)
        do {
            // In the dtype of the file, so that nothing is converted.
            try build(Weights(probe, dtype: part.dtypes.first ?? .float32))
        } catch CheckpointError.unusedTensors(_, let names) {
            part.problems += names.map { "unknown tensor \($0)" }
        }
        part.problems += probe.missing.map { "missing tensor \($0)" }
        part.problems += probe.mismatched.map {
            "tensor \($0.name) has the shape \($0.found) instead of \($0.expected)"
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }
}
