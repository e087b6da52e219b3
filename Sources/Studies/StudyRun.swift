import Files
import Glibc
import Imaging
import Pipelines
import Torch

/// One run through pictures: a thread that reads ahead, this one with the model, and a thread that
/// writes behind. A few pictures are under way at a time, however many there are.
final class StudyRun {
    private let study: Study
    private let request: StudyRequest
    private let reader: StudyReader
    private let writer: StudyWriter
    private let manifestPath: String?
    private let start = ContinuousClock.now
    private var told = ContinuousClock.now - .seconds(1)

    init(_ study: Study, _ request: StudyRequest) throws {
        self.study = study
        self.request = request
        let folder = study.folder
        var pictures = request.pictures
        switch request.role {
        case .whole: manifestPath = folder.manifest
        case .worker: manifestPath = nil
        case .shard(let shard):
            manifestPath = folder.manifest(of: shard)
            pictures = pictures.enumerated().filter { shard.contains($0.offset) }.map(\.element)
        }
        let settings = try study.record.digest
        reader = StudyReader(
            request, pictures: pictures, folder: folder, settings: settings, codec: study.codec,
            earlierRows: try Self.earlierRows(request.role, folder, manifestPath))
        writer = StudyWriter(
            request, count: pictures.count, folder: folder, settings: settings, codec: study.codec,
            manifest: try manifestPath.map(Manifest.init(path:)))
    }

    /// Of the runs whose work may be kept.
    private static func earlierRows(
        _ role: StudyRequest.Role, _ folder: StudyFolder, _ manifest: String?
    ) throws -> [String: StudyRow] {
        guard let manifest else { return [:] }
        let others = role == .whole ? folder.shardManifests : []
        return try (others + [manifest]).reduce(into: [:]) { rows, path in
            rows.merge(try Manifest.rows(at: path)) { $1.seconds == nil ? $0 : $1 }
        }
    }

    func run(_ progress: (StudyProgress) throws -> Void) throws -> StudySummary {
        let (reader, writer) = (reader, writer)
        let writing = try WorkerThread { writer.writeAll() }
        let reading: WorkerThread
        do {
            reading = try WorkerThread { reader.readAll() }
        } catch {
            writer.queue.close()
            writing.join()
            throw error
        }
        let result = Result {
            do {
                try transformAll(progress)
            } catch is StudyWriter.Ended {
                // Its own error comes below.
            }
        }
        // However it ended: nothing more is read, and what is finished is written.
        reader.queue.close(dropping: true)
        reading.join()
        writer.queue.close()
        writing.join()
        _ = try writer.progress()
        try result.get()
        try progress(now())
        return try finish()
    }

    // MARK: - With the model

    private func transformAll(_ progress: (StudyProgress) throws -> Void) throws {
        while true {
            switch reader.queue.take(within: 0.05) {
            case .end:
                return try waitForWriter(progress)
            case .nothing:
                // No operation asks while there is none.
                try Interruption.check()
            case .element(let (index, picture)):
                let work = try transformed(picture, index)
                guard writer.queue.push((index, work)) else { throw StudyWriter.Ended() }
                if case .row(let row, _) = work, row.status == .failed, request.stopsAtFailure {
                    throw StudyError.failed(name: row.name, reason: row.error ?? "")
                }
            }
            try tell(progress)
        }
    }

    private func transformed(_ read: ReadPicture, _ index: Int) throws -> StudyWriter.Work {
        switch read {
        case .kept(let row, let elements):
            return .row(row, elements: elements)
        case .failed(let row):
            return .row(row, elements: nil)
        case .decoded(let image, let sha256, let seconds):
            let picture = reader.pictures[index]
            do {
                return .latents(try transformed(image, picture, sha256, seconds))
            } catch let error where Self.isOfPicture(error) {
                var row = StudyRow(picture, sha256: sha256, status: .failed)
                row.error = "\(picture.path): \(error)"
                return .row(row, elements: nil)
            }
        }
    }

    private func transformed(
        _ image: RGBImage, _ picture: StudyPicture, _ sha256: String, _ readSeconds: Double
    ) throws -> FinishedPicture {
        let extractor = try study.extractor
        let start = ContinuousClock.now
        let settings = study.settings
        let latents = try extractor.latents(
            of: image, prompt: picture.prompt, options: settings.denoising,
            posterior: settings.posterior, longestSide: settings.longestSide, seed: picture.seed)
        let decoded = request.savesPictures ? try extractor.picture(from: latents) : nil
        var row = StudyRow(picture, sha256: sha256, status: .done)
        row.shape = latents.shape
        let elements = try latents.values().withUnsafeBytes { Array($0) }
        row.seconds = .init(read: readSeconds, model: start.secondsUntilNow)
        return FinishedPicture(row: row, elements: elements, picture: decoded)
    }

    /// Whether an error is one picture's, rather than of everything that follows too.
    private static func isOfPicture(_ error: any Error) -> Bool {
        switch error {
        case PipelineError.notFinite, is ImagingError: true
        default: false
        }
    }

    // MARK: - Progress

    private func now() throws -> StudyProgress {
        var progress = try writer.progress()
        progress.seconds = start.secondsUntilNow
        return progress
    }

    private func tell(_ progress: (StudyProgress) throws -> Void) throws {
        // Pictures that are kept need no operation that would ask.
        try Interruption.check()
        let now = try now()
        guard ContinuousClock.now - told >= .milliseconds(100) else { return }
        told = .now
        try progress(now)
    }

    private func waitForWriter(_ progress: (StudyProgress) throws -> Void) throws {
        writer.queue.close()
        while try writer.progress().finished < reader.pictures.count {
            usleep(2000)
            try Interruption.check()
            try tell(progress)
        }
    }

    // MARK: - At the end

    private func finish() throws -> StudySummary {
        let folder = study.folder
        var summary = StudySummary(folder: folder, manifest: manifestPath ?? folder.manifest)
        if let manifestPath {
            try Manifest.write(writer.lines, to: manifestPath)
        }
        if let stacked = writer.stacked {
            try stacked.finish(
                index: folder.stackedIndex, names: reader.pictures.map(\.name))
            summary.stackedLatents = folder.stackedLatents
        }
        if request.role == .whole {
            // Their rows are in the manifest now.
            for path in folder.shardManifests { unlink(path) }
            rmdir(folder.shardsFolder)
        }
        let progress = try now()
        summary.total = progress.total
        summary.extracted = progress.extracted
        summary.reused = progress.reused
        summary.failures = writer.failures
        summary.lines = writer.lines
        summary.seconds = progress.seconds
        return summary
    }
}
