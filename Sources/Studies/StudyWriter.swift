import Checkpoints
import Files
import Imaging
import Synchronization
import Torch

/// Latents on their way to the disk.
struct FinishedPicture {
    var row: StudyRow
    /// float32 in row-major order.
    var elements: [UInt8]
    /// What the latents decode to, if it is to be written.
    var picture: RGBImage?
}

/// Writes the files and rows of a run, behind the model, on a thread of its own.
///
/// `@unchecked Sendable`: the counts are under the lock; all else is the thread's, and the run's only
/// when the thread has ended.
final class StudyWriter: @unchecked Sendable {
    enum Work {
        case latents(FinishedPicture)
        /// There is nothing to write but the row, and elements that are kept to be stacked.
        case row(StudyRow, elements: [UInt8]?)
    }

    /// Thrown where something is to be written after an error ended the writing.
    struct Ended: Error {}

    /// At most this many finished pictures wait for the disk.
    let queue = BoundedQueue<(index: Int, work: Work)>(capacity: 3)
    private let folder: StudyFolder
    private let settings: String
    private let codec: PictureCodec
    private let stacks: Bool
    private let manifest: Manifest?
    private let state: Mutex<State>

    private struct State {
        var counts: StudyProgress
        /// What ended the writing.
        var error: (any Error)?
    }

    private(set) var stacked: StackedLatents?
    /// The manifest's lines in the pictures' order.
    private(set) var lines: [[UInt8]] = []
    private(set) var failures: [StudySummary.Failure] = []
    private let count: Int

    init(
        _ request: StudyRequest, count: Int, folder: StudyFolder, settings: String,
        codec: PictureCodec, manifest: Manifest?
    ) {
        self.count = count
        self.folder = folder
        self.settings = settings
        self.codec = codec
        self.manifest = manifest
        stacks = request.stacks
        state = Mutex(State(counts: StudyProgress(total: count)))
    }

    /// How far it is.
    /// - Throws: what ended the writing.
    func progress() throws -> StudyProgress {
        try state.withLock { state in
            if let error = state.error { throw error }
            return state.counts
        }
    }

    func writeAll() {
        while case .element(let (index, work)) = queue.take() {
            do {
                try write(work, index: index)
            } catch {
                state.withLock { $0.error = error }
                // Nothing more is taken, and whoever waits for room goes on.
                queue.close(dropping: true)
            }
        }
    }

    private func write(_ work: Work, index: Int) throws {
        switch work {
        case .latents(let finished):
            let row = try write(finished)
            try stack(finished.elements, row, index)
            try add(row) { $0.extracted += 1 }
        case .row(let row, let elements):
            if let elements { try stack(elements, row, index) }
            try add(row) { if row.status == .done { $0.reused += 1 } else { $0.failed += 1 } }
        }
    }

    /// The picture first: latents say that everything is there.
    private func write(_ finished: FinishedPicture) throws -> StudyRow {
        let start = ContinuousClock.now
        var row = finished.row
        var provenance = Provenance(
            settings: settings, source: row.sha256 ?? "", prompt: row.prompt, seed: row.seed)
        if let picture = finished.picture {
            let path = folder.picture(row.name)
            let bytes = try codec.encode(picture)
            try folder.makeFolder(of: path)
            try AtomicFile.write(bytes, to: path)
            provenance.picture = SHA256.hexDigest(of: bytes)
        }
        let path = folder.latents(row.name)
        try folder.makeFolder(of: path)
        try finished.elements.withUnsafeBytes {
            try TorchFileWriter.write(
                $0, shape: row.shape ?? [], dtype: .float32, note: provenance.note, to: path)
        }
        row.seconds?.write = start.secondsUntilNow
        return row
    }

    private func stack(_ elements: [UInt8], _ row: StudyRow, _ index: Int) throws {
        guard stacks, let shape = row.shape else { return }
        if stacked == nil {
            stacked = try StackedLatents(
                path: folder.stackedLatents, count: count, shape: Array(shape.dropFirst()))
        }
        try stacked?.write(elements, shape: shape, row: index)
    }

    private func add(_ row: StudyRow, _ change: (inout StudyProgress) -> Void) throws {
        let line = try Manifest.line(row)
        try manifest?.append(line)
        lines.append(line)
        if row.status == .failed {
            failures.append(.init(name: row.name, path: row.source, reason: row.error ?? ""))
        }
        state.withLock { change(&$0.counts) }
    }
}

extension Provenance {
    /// The text that a file of latents carries; nil if it is none.
    init?(note: String?) {
        guard let note,
            let provenance = try? StudyJSON.decoder.decode(Self.self, from: StudyJSON.data(note))
        else { return nil }
        self = provenance
    }

    var note: String {
        get throws { String(decoding: try StudyJSON.text(self, isPretty: false), as: UTF8.self) }
    }
}
