import Files
import FoundationEssentials
import Imaging
import Pipelines
import Torch

/// A folder of latents for the pictures of a study, made by any number of runs: resumed after a kill,
/// shared between processes, always with the same result.
///
/// The latents of a picture depend on its file's bytes, its prompt and seed, and the settings, and on
/// nothing else: not on its place, on other pictures, or on who computes them.
public final class Study {
    public let folder: StudyFolder
    public let settings: StudySettings
    let codec: PictureCodec
    private let versions: [String: String]
    private let identify: () throws -> ModelIdentity
    private let warn: (String) -> Void
    private let makeExtractor: () throws -> ImageExtractor
    private var madeRecord: StudyRecord?
    private var madeExtractor: ImageExtractor?

    /// - Parameters:
    ///   - folder: made where it is missing, when a run begins.
    ///   - settings: all that results depend on beside pictures and model.
    ///   - versions: of programs and libraries, to be recorded.
    ///   - codec: brings pictures from files as the settings say.
    ///   - warn: told of what is probably not meant.
    ///   - identify: tells the model by its files; called when a run begins.
    ///   - makeExtractor: loads the model; called when the first picture needs it.
    /// - Throws: `StudyError.invalidArgument` or `PipelineError.invalidArgument` for settings out of range.
    public init(
        folder: String, settings: StudySettings, versions: [String: String], codec: PictureCodec,
        warn: @escaping (String) -> Void = { _ in }, identify: @escaping () throws -> ModelIdentity,
        makeExtractor: @escaping () throws -> ImageExtractor
    ) throws {
        try settings.check()
        guard !folder.isEmpty else {
            throw StudyError.invalidArgument(name: "output_dir", reason: "it is empty.")
        }
        self.folder = StudyFolder(folder)
        self.settings = settings
        self.versions = versions
        self.codec = codec
        self.warn = warn
        self.identify = identify
        self.makeExtractor = makeExtractor
    }

    /// A study with a model of the diffusers layout or in a single file.
    ///
    /// - Parameters:
    ///   - folder: made where it is missing, when a run begins.
    ///   - settings: all that results depend on beside pictures and model.
    ///   - versions: of programs and libraries, to be recorded.
    ///   - codec: brings pictures from files as the settings say.
    ///   - modelFolder: the model's folder or file.
    ///   - modelName: what it was asked for by; the folder unless given.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - warn: told of what is probably not meant.
    public convenience init(
        folder: String, settings: StudySettings, versions: [String: String], codec: PictureCodec,
        modelFolder: String, modelName: String? = nil, device: Device? = nil,
        warn: @escaping (String) -> Void = { _ in }
    ) throws {
        guard let dtype = DType(rawValue: settings.dtype), dtype.isFloatingPoint else {
            throw StudyError.invalidArgument(
                name: "dtype", reason: "\(settings.dtype.debugDescription) is no type for a model.")
        }
        try self.init(
            folder: folder, settings: settings, versions: versions, codec: codec, warn: warn,
            identify: {
                try ModelIdentity(
                    name: modelName ?? modelFolder, folders: ComponentFolders(model: modelFolder),
                    usesDenoising: settings.strength > 0)
            },
            makeExtractor: {
                try ImageExtractor(
                    modelFolder: modelFolder, device: device, dtype: dtype,
                    precision: settings.precision, warn: warn)
            })
    }

    var extractor: ImageExtractor {
        get throws {
            if let madeExtractor { return madeExtractor }
            let extractor = try makeExtractor()
            madeExtractor = extractor
            return extractor
        }
    }

    var record: StudyRecord {
        get throws {
            if let madeRecord { return madeRecord }
            let record = StudyRecord(settings: settings, model: try identify(), versions: versions)
            madeRecord = record
            return record
        }
    }

    /// Makes the latents of all pictures that have none yet of the same contents and settings.
    ///
    /// Pictures that cannot be read, or whose latents are not finite, are recorded and passed over; what
    /// would stop every picture (a full disk, a model that cannot be loaded) ends the run, and what was
    /// done stays.
    ///
    /// - Parameters:
    ///   - request: the pictures, and how to go about them.
    ///   - progress: called on this thread as pictures are finished, several times a second at most.
    ///     What it throws ends the run.
    /// - Throws: `StudyError`, `WriteError`, `TorchError`, `CheckpointError`, `ConfigurationError`, or what
    ///   interrupts the work.
    public func run(
        _ request: StudyRequest, progress: (StudyProgress) throws -> Void = { _ in }
    ) throws -> StudySummary {
        try check(request)
        let lock = try open(request)
        defer { withExtendedLifetime(lock) {} }
        return try StudyRun(self, request).run(progress)
    }

    // MARK: - Before the first picture

    private func check(_ request: StudyRequest) throws {
        try PictureListing.check(request.pictures)
        guard !request.stacks || settings.size != nil else {
            throw StudyError.invalidArgument(
                name: "stacked",
                reason:
                    "latents stack if all pictures have one size; give the size, such as size=512.")
        }
        guard !request.stacks || request.role == .whole else {
            throw StudyError.invalidArgument(
                name: "stacked",
                reason: """
                    a part has some of the latents only; the run without a part, which joins them, can stack \
                    them.
                    """)
        }
        guard (1...1024).contains(request.batchSize) else {
            throw StudyError.invalidArgument(
                name: "batch_size", reason: "\(request.batchSize) is not between 1 and 1024.")
        }
        guard request.resumes || request.role == .whole else {
            throw StudyError.invalidArgument(
                name: "resume",
                reason: """
                    parts of a study keep what the others have done. To start anew, give them a new folder.
                    """)
        }
    }

    private func hold(isShared: Bool) throws -> FolderLock {
        do {
            return try FolderLock(folder.lock, isShared: isShared)
        } catch is FolderLock.InUse {
            throw StudyError.inUse(folder: folder.path)
        }
    }

    /// Makes the folder, or finds it begun with the same settings, and holds it.
    private func open(_ request: StudyRequest) throws -> FolderLock {
        try folder.make(folder.path)
        let lock = try hold(isShared: request.role != .whole)
        if request.role == .whole { folder.removeTemporaryFiles() }
        try folder.make(folder.latentsFolder)
        if request.savesPictures { try folder.make(folder.picturesFolder) }
        if case .shard = request.role { try folder.make(folder.shardsFolder) }

        let record = try record
        let text = try record.text
        guard request.resumes else {
            try AtomicFile.write(text, to: folder.settings)
            return lock
        }
        guard try !AtomicFile.writeNew(text, to: folder.settings) else { return lock }
        let before = try StudyRecord(path: folder.settings)
        let differences = record.differences(from: before)
        guard differences.isEmpty else {
            throw StudyError.otherSettings(folder: folder.path, differences: differences)
        }
        if let difference = record.versionDifference(from: before) {
            warn(
                """
                \(folder.path) was begun with other versions (\(difference)); results of other versions may differ \
                in their last digits.
                """)
        }
        return lock
    }
}
