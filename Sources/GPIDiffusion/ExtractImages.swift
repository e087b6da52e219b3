import Pipelines
import FoundationEssentials
import ImageFiles
import Imaging
import Torch

/// Turns picture files into `hidden_{i}.pt` files, each with the last latents of a diffusion model for
/// one picture, ready for `load_hiddens` of gpi_pack.
///
///     try extractImages(
///         ["photo.jpg", "drawing.png"], hiddenFolder: "hidden",
///         modelFolder: "stable-diffusion-v1-5", seed: 42)
///
/// Answers to `extract_images` of gpi_pack. At strength 0 the latents are the autoencoder's posterior,
/// sampled once and scaled; above, the picture is noised and denoised under the prompt. One picture at
/// a time is in memory.
///
/// - Parameters:
///   - paths: PNG or JPEG files. Alpha and EXIF rotation are ignored, as in gpi_pack.
///   - prompts: one for all pictures, or one for each. Without influence at strength 0.
///   - hiddenFolder: gets `{hiddenPrefix}_{i}.pt`, float32 `[1, 4, h / 8, w / 8]`; created if missing.
///   - pictureFolder: gets `{saveName}_{i}.png`, the pictures that the latents decode to. Nothing is
///     decoded without it.
///   - saveName: what the names of the pictures' files begin with.
///   - hiddenPrefix: what the names of the latents' files begin with.
///   - modelFolder: a model in the diffusers layout.
///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
///   - options: strength, steps, guidance and negative prompt.
///   - seed: given anew to every picture, so that order cannot matter.
///   - warn: told of what is probably not meant, such as a prompt that is cut.
///   - progress: called after each picture with the number done. What it throws ends the run.
/// - Throws: the error of the first picture that fails; files of earlier pictures stay.
public func extractImages(
    _ paths: [String], prompts: [String] = [""], hiddenFolder: String, pictureFolder: String? = nil,
    saveName: String = "gen", hiddenPrefix: String = "hidden", modelFolder: String,
    device: Device? = nil, options: DenoisingOptions = DenoisingOptions(), seed: UInt64? = nil,
    warn: @escaping (String) -> Void = { _ in }, progress: (_ done: Int) throws -> Void = { _ in }
) throws {
    guard prompts.count == 1 || prompts.count == paths.count else {
        throw PipelineError.invalidArgument(
            name: "prompts",
            reason:
                "\(prompts.count) prompts for \(paths.count) pictures; give one, or one for each.")
    }
    for folder in [hiddenFolder, pictureFolder].compactMap(\.self) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let extractor = try ImageExtractor(modelFolder: modelFolder, device: device, warn: warn)
    for (index, path) in paths.enumerated() {
        let latents = try extractor.latents(
            of: RGBImage(contentsOf: path), prompt: prompts[prompts.count == 1 ? 0 : index],
            options: options, seed: seed)
        if let pictureFolder {
            try extractor.picture(from: latents)
                .writePNG(to: "\(pictureFolder)/\(saveName)_\(index).png")
        }
        try latents.write(to: "\(hiddenFolder)/\(hiddenPrefix)_\(index).pt")
        try progress(index + 1)
    }
}
