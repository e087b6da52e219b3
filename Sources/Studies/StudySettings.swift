import Files
import FoundationEssentials
import Imaging
import Pipelines
import Torch

/// All that the latents of a study depend on, beside the pictures and the model's files.
public struct StudySettings: Codable, Equatable, Sendable {
    /// Width and height in pixels that every picture is brought to, multiples of 8; nil to shrink those
    /// whose longest side is above 512 and keep their shapes.
    public var size: [Int]?
    /// How a picture of another shape is brought to `size`.
    public var fit = PictureFit.crop
    /// Whether a picture is turned as its EXIF data say.
    public var exif = true
    /// The colour under transparent pictures and beside padded ones.
    public var background = RGBColor.white
    public var posterior = PosteriorChoice.sample
    public var strength = 0.0
    public var numInferenceSteps = 50
    public var guidanceScale = 7.5
    public var negativePrompt: String?
    /// Of all pictures; nil if each has its own.
    public var prompt: String?
    /// Of all pictures; nil if each has its own.
    public var seed: UInt64?
    /// That the model runs in; latents are written as float32.
    public var dtype = "float32"
    /// How exactly the model computes.
    public var precision = Precision.default

    public init() {}

    /// How the latents are made of a prepared picture.
    public var denoising: DenoisingOptions {
        get {
            DenoisingOptions(
                strength: strength, numInferenceSteps: numInferenceSteps,
                guidanceScale: guidanceScale, negativePrompt: negativePrompt)
        }
        set {
            strength = newValue.strength
            numInferenceSteps = newValue.numInferenceSteps
            guidanceScale = newValue.guidanceScale
            negativePrompt = newValue.negativePrompt
        }
    }

    /// The longest side that a picture may have: that of `size`, or the extractor's own.
    public var longestSide: Int {
        max(size?.max() ?? ImageExtractor.longestSide, ImageExtractor.sideMultiple)
    }

    /// - Throws: `StudyError.invalidArgument` or `PipelineError.invalidArgument` that name the argument
    ///   as in Python.
    public func check() throws {
        if let size {
            let isGood = size.count == 2 && size.allSatisfy { $0 > 0 && $0 % 8 == 0 && $0 <= 8192 }
            guard isGood else {
                throw StudyError.invalidArgument(
                    name: "size",
                    reason: """
                        \(size.map(String.init).joined(separator: " by ")) is no width and height of pictures for \
                        the model; both have to be multiples of 8, at most 8192.
                        """)
            }
        }
        try denoising.check()
    }

    /// The differences between what a folder was begun with and these.
    func differences(from before: StudySettings) -> [SettingDifference] {
        zip(before.facts, facts).compactMap { old, new in
            old.value == new.value
                ? nil : SettingDifference(name: new.name, before: old.value, now: new.value)
        }
    }

    /// Each setting as Python names it, and its value for people.
    private var facts: [(name: String, value: String)] {
        func quoted(_ text: String?) -> String { text?.debugDescription ?? "none" }
        return [
            ("size", size.map { $0.map(String.init).joined(separator: " by ") } ?? "none"),
            ("fit", fit.rawValue), ("exif", exif ? "true" : "false"),
            ("background", "\(background)"),
            ("posterior", posterior.rawValue), ("strength", "\(strength)"),
            ("num_inference_steps", "\(numInferenceSteps)"), ("guidance_scale", "\(guidanceScale)"),
            ("negative_prompt", quoted(negativePrompt)),
            ("prompts", prompt?.debugDescription ?? "one for each picture"),
            ("seed", seed.map { "\($0)" } ?? "one for each picture"), ("dtype", dtype),
            ("precision", precision.rawValue),
        ]
    }
}
