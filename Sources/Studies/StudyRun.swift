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

    /// A picture that waits for the model.
    private struct Waiting {
        let index: Int
        let image: RGBImage
        let sha256: String
        let seconds: Double
    }

    private func transformAll(_ progress: (StudyProgress) throws -> Void) throws {
        var batch: [Waiting] = []
        while true {
            switch reader.queue.take(within: 0.05) {
            case .end:
                try transform(&batch)
                return try waitForWriter(progress)
            case .nothing:
                // The pictures come more slowly than they could be transformed.
                try transform(&batch)
                // No operation asks while there is none.
                try Interruption.check()
            case .element((let index, .decoded(let image, let sha256, let seconds))):
                if let first = batch.first, first.image.size != image.size {
                    try transform(&batch)
                }
                batch.append(
                    Waiting(index: index, image: image, sha256: sha256, seconds: seconds))
                if try batch.count >= batchSize { try transform(&batch) }
            case .element((let index, .kept(let row, let elements))):
                // Rows go out in the pictures' order.
                try transform(&batch)
                try hand(.row(row, elements: elements), index)
            case .element((let index, .failed(let row))):
                try transform(&batch)
                try hand(.row(row, elements: nil), index)
            }
            try tell(progress)
        }
    }

    private var batchSize: Int {
        get throws { try study.extractor.device == .cpu ? 1 : request.batchSize }
    }

    /// Hands a picture's result to the writer.
    private func hand(_ work: StudyWriter.Work, _ index: Int) throws {
        guard writer.queue.push((index, work)) else { throw StudyWriter.Ended() }
        if request.stopsAtFailure, case .row(let row, _) = work, row.status == .failed {
            throw StudyError.failed(name: row.name, reason: row.error ?? "")
        }
    }

    /// Transforms what waits and empties the batch.
    private func transform(_ batch: inout [Waiting]) throws {
        guard !batch.isEmpty else { return }
        let waiting = batch
        batch = []
        do {
            for (picture, finished) in try zip(waiting, latents(of: waiting)) {
                try hand(.latents(finished), picture.index)
            }
        } catch let error where Self.isOfPicture(error) {
            // Of several one by one, so that each has its own error.
            guard waiting.count == 1 else {
                for picture in waiting {
                    var single = [picture]
                    try transform(&single)
                }
                return
            }
            let picture = reader.pictures[waiting[0].index]
            var row = StudyRow(picture, sha256: waiting[0].sha256, status: .failed)
            row.error = "\(picture.path): \(error)"
            try hand(.row(row, elements: nil), waiting[0].index)
        }
    }

    private func latents(of batch: [Waiting]) throws -> [FinishedPicture] {
        let extractor = try study.extractor
        let start = ContinuousClock.now
        let settings = study.settings
        let pictures = batch.map { reader.pictures[$0.index] }
        let latents = try extractor.latents(
            of: batch.map(\.image), prompts: pictures.map(\.prompt), options: settings.denoising,
            posterior: settings.posterior, longestSide: settings.longestSide,
            seeds: pictures.map(\.seed))
        let decoded =
            request.savesPictures ? try RGBImage.pictures(decoded: extractor.decoded(latents)) : []
        let shape = [1] + latents.shape.dropFirst()
        let elements = try latents.elements(as: Float.self).withUnsafeBytes { Array($0) }
        let size = elements.count / batch.count
        // Of a batch each has its share.
        let seconds = start.secondsUntilNow / Double(batch.count)
        return batch.indices.map { number in
            var row = StudyRow(pictures[number], sha256: batch[number].sha256, status: .done)
            row.shape = shape
            row.seconds = .init(read: batch[number].seconds, model: seconds)
            return FinishedPicture(
                row: row, elements: Array(elements[number * size..<(number + 1) * size]),
                picture: decoded.isEmpty ? nil : decoded[number])
        }
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
