import FoundationEssentials
import ImageFiles
import Imaging
import Pipelines
import Studies
import Torch

/// Makes the last latents of a diffusion model for all pictures of a study, thousands of them, and can be
/// ended and begun again at any time.
///
///     var settings = StudySettings()
///     settings.size = [512, 512]
///     settings.seed = 42
///     let pictures = try PictureListing.pictures(under: "photographs")
///     let summary = try extractDataset(
///         pictures, to: "study", settings: settings, modelFolder: "stable-diffusion-v1-5",
///         stacked: true)
///     print(summary.extracted, summary.reused, summary.failures)
///
/// Every picture gets `latents/{name}.pt` in the folder; `manifest.jsonl` has a row for each, and
/// `settings.json` says how they were made. Pictures that are done, with the same contents and settings,
/// are not done again.
///
/// - Parameters:
///   - pictures: files, PNG or JPEG, with names; prompts and seeds are those of `settings` where it has one
///     for all.
///   - folder: made where it is missing.
///   - settings: all that the latents depend on.
///   - modelFolder: a model in the diffusers layout, or in a single file at strength 0.
///   - modelName: what the settings file calls it; its folder unless given.
///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
///   - stacked: whether all latents are written as one array too; takes a size.
///   - savesPictures: whether the pictures that the latents decode to are written.
///   - resumes: whether what is done is kept.
///   - stopsAtFailure: whether the first picture that fails ends the run, rather than being recorded.
///   - shard: the part of the pictures to do, beside processes that do the others; a run without one joins
///     them.
///   - batchSize: neighbours of one size that are computed at once on a GPU; on a CPU it is one always.
///   - warn: told of what is probably not meant.
///   - progress: called as pictures are finished, on this thread. What it throws ends the run.
/// - Throws: `StudyError`, `WriteError` and what the model's loading throws; not for single pictures.
@discardableResult
public func extractDataset(
    _ pictures: [StudyPicture], to folder: String, settings: StudySettings, modelFolder: String,
    modelName: String? = nil, device: Device? = nil, stacked: Bool = false,
    savesPictures: Bool = false, resumes: Bool = true, stopsAtFailure: Bool = false,
    shard: Shard? = nil, batchSize: Int = 8, warn: @escaping (String) -> Void = { _ in },
    progress: (StudyProgress) throws -> Void = { _ in }
) throws -> StudySummary {
    var pictures = pictures
    if let prompt = settings.prompt { try pictures.set(\.prompt, to: [prompt], called: "prompts") }
    if let seed = settings.seed { try pictures.set(\.seed, to: [seed], called: "seed") }
    var request = StudyRequest(pictures: pictures)
    request.role = shard.map { .shard($0) } ?? .whole
    request.resumes = resumes
    request.stopsAtFailure = stopsAtFailure
    request.savesPictures = savesPictures
    request.stacks = stacked
    request.batchSize = batchSize
    let study = try Study(
        folder: folder, settings: settings, modelFolder: modelFolder, modelName: modelName,
        device: device, warn: warn)
    return try study.run(request, progress: progress)
}

extension Study {
    /// A study of PNG and JPEG files.
    public convenience init(
        folder: String, settings: StudySettings, modelFolder: String, modelName: String? = nil,
        device: Device? = nil, warn: @escaping (String) -> Void = { _ in }
    ) throws {
        let version = try LibTorch.shared().version
        try self.init(
            folder: folder, settings: settings,
            versions: [
                "gpi-diffusion": packageVersion, "torch": "\(version.major).\(version.minor)",
            ],
            codec: PictureCodec(settings), modelFolder: modelFolder, modelName: modelName,
            device: device, warn: warn)
    }
}

extension PictureListing {
    /// The PNG and JPEG files under a folder; see `pictures(under:suffixes:)`.
    public static func pictures(under folder: String) throws -> [StudyPicture] {
        try pictures(under: folder, suffixes: [".png", ".jpg", ".jpeg"])
    }
}

extension PictureCodec {
    /// Reads PNG and JPEG files as the settings say, with pixels as Pillow computes them.
    init(_ settings: StudySettings) {
        let options = ImageReadingOptions(
            appliesOrientation: settings.exif, background: settings.background)
        self.init(
            decode: { bytes, path in
                let picture = try bytes.withUnsafeBytes {
                    try RGBImage(decoding: $0, path: path, options: options)
                }
                guard let size = settings.size, size.count == 2 else {
                    return try picture.fitted(longestSide: ImageExtractor.longestSide)
                }
                return try picture.fitted(
                    to: PixelSize(width: size[0], height: size[1]), by: settings.fit,
                    background: settings.background)
            },
            encode: { try $0.pngBytes() })
    }
}
