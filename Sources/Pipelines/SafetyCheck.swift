import Diffusion
import Imaging
import Torch

/// The check that pictures pass before a Stable Diffusion model gives them out.
///
/// Answers to `run_safety_checker` of diffusers' `StableDiffusionPipeline`.
public final class SafetyCheck {
    private let checker: StableDiffusionSafetyChecker
    private let configuration: CLIPImageProcessorConfiguration
    private let library: LibTorch

    /// - Parameter processor: how pictures are prepared for the checker.
    init(
        _ checker: StableDiffusionSafetyChecker, processor: CLIPImageProcessorConfiguration,
        in library: LibTorch
    ) {
        self.checker = checker
        configuration = processor
        self.library = library
    }

    /// Tells for each picture whether it shows what it must not.
    /// - Throws: `ImagingError` if a picture is too elongated to be scaled.
    public func flagged(_ pictures: [RGBImage]) throws -> [Bool] {
        guard !pictures.isEmpty else { return [] }
        let pixels = try pictures.map { try Tensor($0, prepared: configuration, in: library) }
        return try checker.flagged(Tensor.concatenated(pixels, dimension: 0))
    }

    /// Makes those pictures black whose place in `flagged` is true.
    public static func blackOut(
        _ pictures: inout [RGBImage], where flagged: [Bool]
    ) throws(ImagingError) {
        for (index, isFlagged) in zip(pictures.indices, flagged) where isFlagged {
            let picture = pictures[index]
            pictures[index] = try RGBImage(
                width: picture.width, height: picture.height,
                pixels: Array(repeating: 0, count: picture.pixels.count))
        }
    }
}
