import Files
import Imaging
import Torch

/// The training of a model, in a folder that it can go on from after a kill.
///
/// Checkpoints appear whole or not at all, and everything that is drawn depends on the step's number: a
/// run that was killed and resumed leaves the same bytes as one that was not.
public final class TrainingRun {
    public let folder: RunFolder
    private let settings: TrainingSettings
    private let objective: any TrainingObjective
    private let data: TrainingData
    private let encode: (RGBImage) throws -> [UInt8]

    /// - Parameters:
    ///   - folder: made where it is missing.
    ///   - objective: what is trained, with its first parameters.
    ///   - data: what is learnt from.
    ///   - settings: how.
    ///   - encode: a picture as the bytes of a PNG file.
    /// - Throws: `TrainingError.invalidArgument`.
    public init(
        folder: String, objective: any TrainingObjective, data: TrainingData,
        settings: TrainingSettings, encode: @escaping (RGBImage) throws -> [UInt8]
    ) throws {
        try settings.check()
        guard !folder.isEmpty else {
            throw TrainingError.invalidArgument(name: "output_dir", reason: "it is empty.")
        }
        self.folder = RunFolder(folder)
        self.settings = settings
        self.objective = objective
        self.data = data
        self.encode = encode
    }

    /// Trains, from the last checkpoint if there is one, and saves the model.
    ///
    /// - Parameters:
    ///   - resumes: whether the folder's run of equal settings is gone on with; else it is removed.
    ///   - progress: called after each step, on this thread. What it throws ends the run, as a kill does.
    /// - Throws: `TrainingError`, `WriteError`, and what the objective throws.
    public func run(
        resumes: Bool = true, progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws {
        let lock = try begin(resumes: resumes)
        defer { withExtendedLifetime(lock) {} }
        let loop = try TrainingLoop(objective, data: data, settings: settings)
        if let last = folder.checkpoints.last(where: { $0 <= settings.steps }) {
            try loop.restore(from: folder.checkpoint(at: last), step: last)
        }
        let losses = try LossFile(path: folder.losses, keeping: loop.step)
        var meter = TrainingMeter(settings, losses: losses.losses)
        while loop.step < settings.steps {
            let step = try advance(loop)
            try losses.append(step)
            // Before the checkpoint, after which nobody would come back to it.
            if isDue(settings.sampleEvery, at: step.number) { try saveSamples(of: loop) }
            if isDue(settings.saveEvery, at: step.number) {
                try losses.synchronize()
                try saveCheckpoint(of: loop)
            }
            try progress(meter.progress(after: step))
        }
        try finish(loop, losses)
    }

    private func advance(_ loop: TrainingLoop) throws -> TrainingStep {
        do {
            let step = try loop.advance()
            // Finite gradients can be too much for the parameters, which the next loss would tell: too late
            // for the checkpoint of this step.
            if isDue(settings.saveEvery, at: step.number)
                || isDue(settings.sampleEvery, at: step.number)
            {
                try loop.checkFinite()
            }
            return step
        } catch TrainingError.notFinite(let step, let what) {
            throw TrainingError.diverged(
                step: step, what: what,
                checkpoint: folder.checkpoints.last.map { folder.checkpoint(at: $0) })
        }
    }

    /// Whether something is done at a step that is done every so many steps and at the end.
    private func isDue(_ interval: Int, at step: Int) -> Bool {
        interval > 0 && (step % interval == 0 || step == settings.steps)
    }

    // MARK: - The folder

    /// Makes the folder, or finds it begun with the same settings, and holds it.
    private func begin(resumes: Bool) throws -> FolderLock {
        try PendingFolder.make(folder.path)
        let lock: FolderLock
        do {
            lock = try FolderLock(folder.lock)
        } catch is FolderLock.InUse {
            throw TrainingError.inUse(folder: folder.path)
        }
        folder.removeTemporaryFiles()
        let record = RunRecord(settings: settings, objective: objective, data: data)
        if !resumes { folder.removeRun() }
        if try !AtomicFile.writeNew(record.text, to: folder.settings) {
            let before = try RunRecord(path: folder.settings)
            let differences = record.differences(from: before)
            guard differences.isEmpty else {
                throw TrainingError.otherSettings(folder: folder.path, differences: differences)
            }
            try AtomicFile.write(record.text, to: folder.settings)
        }
        if settings.sampleEvery > 0 { try PendingFolder.make(folder.samplesFolder) }
        return lock
    }

    private func saveCheckpoint(of loop: TrainingLoop) throws {
        try PendingFolder.write(to: folder.checkpoint(at: loop.step), replacing: true) {
            try loop.save(to: $0)
        }
        for step in folder.checkpoints.dropLast(settings.checkpointsKept) {
            PendingFolder.remove(folder.checkpoint(at: step))
        }
    }

    private func saveSamples(of loop: TrainingLoop) throws {
        let pictures = try loop.withAverage {
            try objective.samples(count: settings.sampleCount, of: data, seed: settings.seed)
        }
        guard !pictures.isEmpty else { return }
        try AtomicFile.write(encode(.grid(of: pictures)), to: folder.samples(at: loop.step))
    }

    private func finish(_ loop: TrainingLoop, _ losses: LossFile) throws {
        try AtomicFile.write(
            encode(.lossCurve(losses.losses)), to: folder.lossCurve)
        try loop.withAverage { try objective.save(to: folder.model) }
    }
}
