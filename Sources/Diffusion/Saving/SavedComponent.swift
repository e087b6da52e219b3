import Checkpoints
import Files
import Torch

/// One part of a model on its way to a folder in the diffusers layout.
public struct SavedComponent {
    /// The library in Python that has its class.
    public let library: String
    /// As `model_index.json` names it.
    public let className: String
    private let write: (_ folder: String) throws -> Void

    /// Saves it alone, as `save_pretrained` does.
    ///
    /// - Parameters:
    ///   - folder: appears whole or not at all.
    ///   - replacing: whether a folder that is already there is replaced, with all that is in it.
    /// - Throws: `OccupiedPath` if there is one that must not be; `WriteError`, or what is wrong with
    ///   where the part comes from.
    public func save(to folder: String, replacing: Bool = false) throws {
        try PendingFolder.write(to: folder, replacing: replacing, write(into:))
    }

    /// Writes its files into a folder that is there.
    func write(into folder: String) throws { try write(folder) }
}

extension SavedComponent {
    /// A model.
    ///
    /// - Parameters:
    ///   - configuration: of its shape.
    ///   - weights: under the names that the model here has them.
    ///   - dtype: that they are saved in, such as float16 for half the size; their own unless given.
    public static func model<Configuration: SavedConfiguration>(
        _ configuration: Configuration, weights: any TensorSource, dtype: DType? = nil
    ) -> SavedComponent {
        let library = Configuration.library
        return SavedComponent(library: library.name, className: Configuration.className) { folder in
            let dtype = try dtype ?? weights.dtypes().first ?? .float32
            try AtomicFile.write(
                configuration.file(dtype: dtype).utf8, to: "\(folder)/config.json")
            try SafetensorsWriter.write(
                from: RenamedSource(weights, rename: Configuration.savedName), dtype: dtype,
                to: "\(folder)/\(library.weightsFile)")
        }
    }

    /// A model that was trained.
    ///
    /// - Parameters:
    ///   - configuration: of its shape.
    ///   - parameters: what it was built of, kept in `Parameters`, or their running average.
    ///   - dtype: that they are saved in; their own unless given.
    public static func model(
        _ configuration: some SavedConfiguration, parameters: [String: Tensor], dtype: DType? = nil
    ) -> SavedComponent {
        .model(configuration, weights: InMemorySource(parameters), dtype: dtype)
    }

    /// A scheduler's settings.
    /// - Parameter settings: that say of which class they are, as those of any `Scheduler` do.
    /// - Throws: `ConfigurationError` if they do not.
    public static func scheduler(_ settings: SchedulerSettings) throws -> SavedComponent {
        guard let className = settings.className else {
            throw ConfigurationError.unsupported(
                path: settings.origin, key: "_class_name", value: "absent",
                supported: "one of " + Schedulers.all.map { $0.name }.joined(separator: ", "))
        }
        return SavedComponent(library: ModelLibrary.diffusers.name, className: className) {
            let text = try settings.json(version: ModelLibrary.diffusersVersion)
            try AtomicFile.write(text.utf8, to: "\($0)/scheduler_config.json")
        }
    }

    /// A tokenizer, copied: it is never trained.
    /// - Parameter folder: of a tokenizer that `CLIPTokenizer` reads.
    public static func tokenizer(copiedFrom folder: String) -> SavedComponent {
        .copy(of: folder, library: "transformers", className: "CLIPTokenizer")
    }

    /// A part that is the same as before.
    ///
    /// - Parameters:
    ///   - folder: whose files are copied.
    ///   - library: in Python that has its class.
    ///   - className: as `model_index.json` names it.
    public static func copy(
        of folder: String, library: String, className: String
    ) -> SavedComponent {
        SavedComponent(library: library, className: className) { target in
            let names = FolderContents.files(under: folder)
                .filter { !$0.contains("/") && !PendingFile.isTemporary($0) }
            guard !names.isEmpty else {
                throw ConfigurationError.notFound(path: folder)
            }
            for name in names {
                // Mapped, as weights may be among them.
                let file = try MappedFile(path: "\(folder)/\(name)")
                try AtomicFile.write(to: "\(target)/\(name)") { copy in
                    try file.withBytes(in: 0..<file.count) { try copy.append($0) }
                }
            }
        }
    }
}
