/// One line of a study's manifest: what became of a picture.
public struct StudyRow: Codable, Equatable, Sendable {
    public enum Status: String, Codable, Sendable {
        case done, failed
    }

    /// Seconds that the steps took.
    public struct Seconds: Codable, Equatable, Sendable {
        /// Reading the file, decoding and resizing.
        public var read = 0.0
        /// Encoding, denoising and, with pictures, decoding.
        public var model = 0.0
        /// Encoding and writing the files.
        public var write = 0.0
    }

    public var name: String
    /// The picture's file, as it was given.
    public var source: String
    /// SHA-256 of the picture's file; nil if it could not be read.
    public var sha256: String?
    /// Of the latents, `[1, C, H / 8, W / 8]`.
    public var shape: [Int]?
    public var prompt: String
    public var seed: UInt64
    public var status: Status
    /// Why there are no latents.
    public var error: String?
    /// Nil where another run made the latents, and its manifest was lost.
    public var seconds: Seconds?

    init(_ picture: StudyPicture, sha256: String?, status: Status) {
        name = picture.name
        source = picture.path
        prompt = picture.prompt
        seed = picture.seed
        self.sha256 = sha256
        self.status = status
    }
}

/// What a file of latents carries of how it was made: the reason to keep it, or to make it anew.
struct Provenance: Codable, Equatable {
    /// Of the study's record.
    var settings: String
    /// SHA-256 of the picture's file.
    var source: String
    var prompt: String
    var seed: UInt64
    /// SHA-256 of the decoded picture's file, if one was written.
    var picture: String?
}
