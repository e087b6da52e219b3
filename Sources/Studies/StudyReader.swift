import Checkpoints
import Files
import Glibc
import Imaging
import Pipelines

/// What the reader finds of one picture.
enum ReadPicture {
    /// Latents of the same contents and settings are there; the elements if they are to be stacked.
    case kept(StudyRow, elements: [UInt8]?)
    case decoded(RGBImage, sha256: String, seconds: Double)
    case failed(StudyRow)
}

/// Reads the pictures of a run in their order, ahead of the model, on a thread of its own.
final class StudyReader: Sendable {
    let pictures: [StudyPicture]
    private let folder: StudyFolder
    private let settings: String
    private let codec: PictureCodec
    private let keepsLatents: Bool
    private let needsPictures: Bool
    private let needsElements: Bool
    private let earlierRows: [String: StudyRow]
    /// At most this many decoded pictures wait for the model.
    let queue = BoundedQueue<(index: Int, picture: ReadPicture)>(capacity: 3)

    init(
        _ request: StudyRequest, pictures: [StudyPicture], folder: StudyFolder, settings: String,
        codec: PictureCodec, earlierRows: [String: StudyRow]
    ) {
        self.pictures = pictures
        self.folder = folder
        self.settings = settings
        self.codec = codec
        self.earlierRows = earlierRows
        keepsLatents = request.resumes
        needsPictures = request.savesPictures
        needsElements = request.stacks
    }

    func readAll() {
        for (index, picture) in pictures.enumerated() {
            guard queue.push((index, read(picture))) else { return }
        }
        queue.close()
    }

    private func read(_ picture: StudyPicture) -> ReadPicture {
        let start = ContinuousClock.now
        var digest: String?
        do {
            let bytes = try FileBytes.of(picture.path)
            let sha256 = SHA256.hexDigest(of: bytes)
            digest = sha256
            if keepsLatents, let kept = kept(picture, sha256: sha256) { return kept }
            let image = try codec.decode(bytes, picture.path)
            return .decoded(image, sha256: sha256, seconds: start.secondsUntilNow)
        } catch {
            var row = StudyRow(picture, sha256: digest, status: .failed)
            row.error = "\(error)"
            return .failed(row)
        }
    }

    /// What is there already, if it is whole and was made of the same.
    private func kept(_ picture: StudyPicture, sha256: String) -> ReadPicture? {
        guard let saved = try? SavedTensor(path: folder.latents(picture.name)),
            let provenance = Provenance(note: saved.note),
            provenance.settings == settings, provenance.source == sha256,
            provenance.prompt == picture.prompt, provenance.seed == picture.seed,
            !needsPictures || isThere(provenance.picture, of: picture)
        else { return nil }
        var row = StudyRow(picture, sha256: sha256, status: .done)
        row.shape = saved.shape
        if let earlier = earlierRows[picture.name], earlier.sha256 == sha256,
            earlier.status == .done
        {
            row.seconds = earlier.seconds
        }
        return .kept(row, elements: needsElements ? saved.elements : nil)
    }

    private func isThere(_ digest: String?, of picture: StudyPicture) -> Bool {
        guard let digest, let found = try? SHA256.hexDigest(ofFile: folder.picture(picture.name))
        else { return false }
        return found == digest
    }
}

extension ContinuousClock.Instant {
    /// In thousandths.
    var secondsUntilNow: Double {
        ((ContinuousClock.now - self) / Duration.seconds(1) * 1000).rounded() / 1000
    }
}
