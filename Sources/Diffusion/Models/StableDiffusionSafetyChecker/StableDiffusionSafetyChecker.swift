import Checkpoints
import Torch
import TorchNN

/// Tells which pictures show what Stable Diffusion should not give out: those that CLIP finds close to
/// one of seventeen concepts.
///
/// Answers to diffusers' `StableDiffusionSafetyChecker`.
public final class StableDiffusionSafetyChecker {
    public let configuration: StableDiffusionSafetyCheckerConfiguration
    private let visionModel: CLIPVisionModel
    private let visualProjection: Linear
    private let concepts: Concepts
    private let specialCare: Concepts

    /// - Parameters:
    ///   - weights: named as in diffusers; the vision model's begin with `vision_model.vision_model`
    ///     or, since transformers 5, with `vision_model`.
    ///   - configuration: says which shapes they have.
    /// - Throws: `CheckpointError` if a tensor is missing, unknown, or of another shape than configured.
    public init(
        _ weights: Weights, configuration: StableDiffusionSafetyCheckerConfiguration
    ) throws {
        self.configuration = configuration
        let size = configuration.projectionDim
        visionModel = try CLIPVisionModel(
            weights / "vision_model", configuration: configuration.visionConfig)
        visualProjection = try Linear(
            weights / "visual_projection", from: configuration.visionConfig.hiddenSize, to: size,
            bias: false)
        concepts = try Concepts(weights, "concept_embeds", count: 17, size: size)
        specialCare = try Concepts(weights, "special_care_embeds", count: 3, size: size)
        try weights.finish()
    }

    /// - Parameter pixels: normalised as the model's `CLIPImageProcessor` does it, `[N, 3, 224, 224]`
    ///   (or the vision model's other image size) with N at least 1, of any dtype and on any device.
    /// - Returns: for each picture whether it shows what it must not.
    /// - Throws: `TorchError.invalidArgument` for another shape.
    public func flagged(_ pixels: Tensor) throws -> [Bool] {
        try scores(pixels).map(\.isFlagged)
    }

    /// As `flagged(_:)`, with what the answer is drawn from.
    public func scores(_ pixels: Tensor) throws -> [SafetyScores] {
        let embeddings = try visualProjection(visionModel(pixels)).normalized()
        let concepts = try concepts.comparisons(embeddings)
        let specialCare = try specialCare.comparisons(embeddings)
        return zip(concepts, specialCare).map { SafetyScores(concepts: $0, specialCare: $1) }
    }
}

/// Concepts as places in CLIP's space, each with how close a picture may come to it.
private struct Concepts {
    /// Unit vectors, `[count, size]`.
    private let embeddings: Tensor
    private let thresholds: [Float]

    init(_ weights: Weights, _ name: String, count: Int, size: Int) throws {
        embeddings = try weights.tensor(name, shape: [count, size]).normalized()
        thresholds = try weights.tensor("\(name)_weights", shape: [count]).elements(as: Float.self)
    }

    /// Unit vectors of pictures, `[N, size]`, with each concept: N lists of `count`.
    func comparisons(_ pictures: Tensor) throws -> [[SafetyScores.Comparison]] {
        let cosines = try pictures.linear(weight: embeddings, bias: nil).elements(as: Float.self)
        let count = thresholds.count
        return stride(from: 0, to: cosines.count, by: count).map { start in
            zip(cosines[start..<start + count], thresholds).map { ($0, $1) }
        }
    }
}
