import CGPIDiffusion
import Imaging
import Pipelines
import Studies

// What stands behind the opaque handles of gpi_studies.h.

/// A text in memory that stays where it is.
final class StableText {
    let start: UnsafeMutablePointer<CChar>

    init(_ text: String) {
        let characters = text.utf8CString
        start = .allocate(capacity: characters.count)
        characters.withUnsafeBufferPointer {
            if let base = $0.baseAddress { start.initialize(from: base, count: $0.count) }
        }
    }

    deinit { start.deallocate() }
}

/// `gpi_pictures`
final class PicturesBox {
    var pictures: [StudyPicture]
    private let names: [StableText]
    private let paths: [StableText]

    init(_ pictures: [StudyPicture]) {
        self.pictures = pictures
        names = pictures.map { StableText($0.name) }
        paths = pictures.map { StableText($0.path) }
    }

    func name(_ index: Int64) -> UnsafePointer<CChar>? { Self.text(names, index) }
    func path(_ index: Int64) -> UnsafePointer<CChar>? { Self.text(paths, index) }

    static func text(_ texts: [StableText], _ index: Int64) -> UnsafePointer<CChar>? {
        texts.indices.contains(Int(index)) ? UnsafePointer(texts[Int(index)].start) : nil
    }
}

/// `gpi_study`
final class StudyBox {
    let study: Study
    init(_ study: Study) { self.study = study }
}

/// `gpi_study_summary`
final class SummaryBox {
    let summary: StudySummary
    let failures: [(name: StableText, path: StableText, reason: StableText)]
    /// Copied when the first is asked for: most callers read the manifest instead.
    private(set) lazy var rows = summary.rows.map(StableText.init)
    let settings, manifest, latents: StableText
    let pictures, stacked: StableText?

    init(_ summary: StudySummary, savesPictures: Bool) {
        self.summary = summary
        failures = summary.failures.map {
            (StableText($0.name), StableText($0.path), StableText($0.reason))
        }
        settings = StableText(summary.folder.settings)
        manifest = StableText(summary.manifest)
        latents = StableText(summary.folder.latentsFolder)
        pictures = savesPictures ? StableText(summary.folder.picturesFolder) : nil
        stacked = summary.stackedLatents.map(StableText.init)
    }
}

/// The caller's functions that decode and encode pictures, as a codec.
///
/// `@unchecked Sendable`: the functions are called on threads of the study's, as the header says, and
/// the context is theirs.
final class ForeignCodec: @unchecked Sendable {
    /// What such a function said of a picture.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let decode: gpi_decode_file
    private let encode: gpi_encode_file?
    private let context: UnsafeMutableRawPointer?

    init(
        _ decode: @escaping gpi_decode_file, _ encode: gpi_encode_file?,
        _ context: UnsafeMutableRawPointer?
    ) {
        self.decode = decode
        self.encode = encode
        self.context = context
    }

    var codec: PictureCodec {
        PictureCodec(decode: { try self.decoded($0, $1) }, encode: { try self.encoded($0) })
    }

    private func decoded(_ bytes: [UInt8], _ path: String) throws -> RGBImage {
        var result: OpaquePointer?
        let error = bytes.withUnsafeBufferPointer {
            decode(context, path, $0.baseAddress, $0.count, &result)
        }
        defer { free(result, as: PictureBox.self) }
        if let error { throw Failure(description: String(cString: error)) }
        guard let result else { throw Failure(description: "\(path): no picture was made of it.") }
        return try object(result, as: PictureBox.self).image
    }

    private func encoded(_ picture: RGBImage) throws -> [UInt8] {
        guard let encode else {
            throw PipelineError.invalidArgument(
                name: "options->encode", reason: "it must not be NULL.")
        }
        let box = handle(PictureBox(picture))
        defer { free(box, as: PictureBox.self) }
        var start: UnsafePointer<UInt8>?
        var count = 0
        if let error = encode(context, box, &start, &count) {
            throw Failure(description: String(cString: error))
        }
        return Array(UnsafeBufferPointer(start: start, count: count))
    }
}
