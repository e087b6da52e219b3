/// Which pictures a run of a study is about, and how it goes about them. None of it changes a result.
public struct StudyRequest: Sendable {
    /// What a run does with the folder.
    public enum Role: Equatable, Sendable {
        /// Everything, alone in the folder: joins what parts and workers have done, writes the manifest.
        case whole
        /// One of several parts, beside the others.
        case shard(Shard)
        /// Some pictures, beside other workers; the rows are the caller's, no manifest is written.
        case worker
    }

    public var pictures: [StudyPicture]
    public var role = Role.whole
    /// Whether latents of the same contents and settings are kept.
    public var resumes = true
    /// Whether the first picture that fails ends the run, rather than being recorded.
    public var stopsAtFailure = false
    /// Whether decoded pictures are written too.
    public var savesPictures = false
    /// Whether all latents are also written as one array, which takes one size.
    public var stacks = false

    /// Neighbours of one size that are computed at once on a GPU. On a CPU pictures are computed one by one,
    /// which is as fast, and the only way to the same last bits whatever the batch.
    public var batchSize = 8

    public init(pictures: [StudyPicture]) { self.pictures = pictures }
}
