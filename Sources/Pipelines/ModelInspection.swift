import Checkpoints
import Diffusion
import FoundationEssentials
import Torch

/// What a model consists of, a folder in the diffusers layout or a single file in the original one, and
/// what is wrong with it. Weights are looked at, not loaded.
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
            tensors.reduce(0) { $0 + $1.spec.count }
        }

        /// Size of all tensors in bytes, as they are stored.
        public var byteCount: Int {
            tensors.reduce(0) { $0 + $1.spec.count * $1.spec.dtype.byteCount }
        }

        /// The types in which tensors are stored, the one with most elements first.
        public internal(set) var dtypes: [DType] = []
    }

    /// Those that the index names, or that there are folders of.
    public private(set) var parts: [Part] = []
    /// The class that the scheduler's file names.
    public private(set) var scheduler: String?

    /// - Parameter path: a folder in the diffusers layout, or a single file in the original one.
    /// - Throws: `ConfigurationError` if there is no such folder or its index cannot be read;
    ///   `CheckpointError` for a file of another kind; `TorchError` without a usable libtorch. What is wrong with a part is in its `problems`.
    public init(model path: String) throws {
        let folders = ComponentFolders(model: path)
        let index = try Self.index(of: folders, in: path)
        let library = try LibTorch.shared()
        var probe: ProbedSource?
        let loader = PartLoader(dtype: nil, device: .cpu, library: library) {
            let probed = ProbedSource($0, in: library)
            probe = probed
            return probed
        }
        // What a file is not is told once.
        _ = try loader.checkpoint(path)
        func add(_ name: String, at place: String, load: () throws -> Void) {
            let isThere = ComponentFolders.isFolder(place) || (place == path && name != "tokenizer")
            guard index?.classNames[name] != nil || isThere else { return }
            var part = Part(name: name, className: index?.classNames[name])
            probe = nil
            do {
                try load()
            } catch CheckpointError.unusedTensors(_, let names) {
                part.problems += names.map { "unknown tensor \($0)" }
            } catch {
                part.problems.append("\(error)")
            }
            if let probe { part.describe(probe) }
            parts.append(part)
        }

        add("vae", at: folders.autoencoder) { try loader.autoencoder(folders.autoencoder).load() }
        add("text_encoder", at: folders.textEncoder) {
            _ = try loader.textEncoder(folders.textEncoder)
        }
        // Of a model without prompts, whose parts may lie in the model's own folder.
        let isUnconditional = index?.classNames["unet"] == "UNet2DModel"
        add("unet", at: folders.unet) {
            guard !isUnconditional else {
                _ = try loader.unconditionalUNet(
                    UnconditionalComponents.place(of: "unet", in: path))
                return
            }
            _ = try loader.unet(folders.unet) { try loader.schedulerSettings(folders.scheduler) }
        }
        add("safety_checker", at: folders.safetyChecker) {
            _ = try loader.safetyChecker(folders.safetyChecker)
        }
        add("tokenizer", at: folders.tokenizer) { _ = try loader.tokenizer(folders.tokenizer) }
        var named: String?
        add("scheduler", at: folders.scheduler) {
            let settings = try loader.schedulerSettings(
                isUnconditional
                    ? UnconditionalComponents.place(of: "scheduler", in: path) : folders.scheduler)
            named = settings.className
            _ = try Schedulers.scheduler(settings)
        }
        scheduler = named
        add("feature_extractor", at: folders.featureExtractor) {
            _ = try loader.imageProcessor(folders.featureExtractor)
        }
        let known = Set(parts.map(\.name))
        for (name, className) in (index?.classNames ?? [:]).sorted(by: { $0.key < $1.key })
        where !known.contains(name) {
            parts.append(
                Part(
                    name: name, className: className,
                    problems: ["This part is not known here, and not used."]))
        }
    }

    private static func index(of folders: ComponentFolders, in path: String) throws -> ModelIndex? {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ConfigurationError.notFound(path: path)
        }
        guard FileManager.default.fileExists(atPath: folders.index) else { return nil }
        return try ModelIndex(path: folders.index)
    }
}

extension ModelInspection.Part {
    /// What the source of its weights holds, and how that differs from what was asked of it.
    fileprivate mutating func describe(_ probe: ProbedSource) {
        file = probe.location
        do {
            tensors = try probe.names.sorted().map { ($0, try probe.spec(of: $0)) }
            dtypes = try probe.dtypes()
        } catch {
            problems.append("\(error)")
        }
        problems += probe.missing.map { "missing tensor \($0)" }
        problems += probe.mismatched.map {
            "tensor \($0.name) has the shape \($0.found) instead of \($0.expected)"
        }
    }
}
