import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The safety checker against diffusers' own, with the same weights and pixels.
@Suite struct StableDiffusionSafetyCheckerTests {
    private struct Answer: Decodable {
        let folder: String
        let pixels: PackedTensor
        let pooled: PackedTensor
        /// Of each picture: three of special care, then those of the concepts.
        let scores: [[Float]]
        let flagged: [Bool]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("safety", folder.path)
        #expect(answers.count == 3)
        for answer in answers {
            let configuration = try StableDiffusionSafetyCheckerConfiguration(
                path: "\(answer.folder)/config.json")
            let weights = try Weights(ComponentFolder.open(answer.folder, in: library))
            let pixels = try answer.pixels.tensor(in: library)

            let vision = try CLIPVisionModel(
                weights / "vision_model", configuration: configuration.visionConfig)
            #expect(try answer.pooled.relativeError(of: vision(pixels)) < 1e-5, "\(answer.folder)")

            let checker = try StableDiffusionSafetyChecker(weights, configuration: configuration)
            #expect(try checker.flagged(pixels) == answer.flagged, "\(answer.folder)")
            for (scores, expected) in zip(try checker.scores(pixels), answer.scores) {
                let differences = zip(scores.specialCare + scores.concepts, expected).map(-)
                #expect(differences.count == 20)
                // What differs in the seventh decimal may be rounded to another third one.
                #expect(differences.allSatisfy { $0.magnitude < 0.0011 }, "\(answer.folder)")
            }
            let channels = try pixels.narrowed(dimension: 1, start: 0, length: 2)
            #expect(throws: TorchError.self) { try checker.flagged(channels) }
            let rows = try pixels.narrowed(dimension: 2, start: 0, length: 8)
            #expect(throws: TorchError.self) { try checker.flagged(rows) }
            let nothing = try pixels.narrowed(dimension: 0, start: 0, length: 0)
            #expect(throws: TorchError.self) { try checker.flagged(nothing) }
        }
    }

    private struct Verdicts: Decodable {
        let concepts: [[Float]]
        let special: [[Float]]
        let conceptThresholds: [Float]
        let specialThresholds: [Float]
        let scores: [[Float]]
        let flagged: [Bool]
    }

    @Test func cosinesAreJudgedAsDiffusersDoes() throws {
        let folder = try TemporaryFolder()
        let answers: [Verdicts] = try PythonReference("reference.py").run("verdicts", folder.path)
        #expect(answers.count == 4)
        for answer in answers {
            #expect(answer.flagged.contains(true) && answer.flagged.contains(false))
            for (index, expected) in answer.scores.enumerated() {
                let scores = SafetyScores(
                    concepts: zip(answer.concepts[index], answer.conceptThresholds)
                        .map { ($0, $1) },
                    specialCare: zip(answer.special[index], answer.specialThresholds)
                        .map { ($0, $1) })
                #expect(scores.specialCare + scores.concepts == expected)
                #expect(scores.isFlagged == answer.flagged[index])
            }
        }
    }

    @Test func unfitWeightsAreRefused() throws {
        let library = try LibTorch.shared()
        var configuration = StableDiffusionSafetyCheckerConfiguration()
        configuration.projectionDim = 6
        configuration.visionConfig.hiddenSize = 8
        configuration.visionConfig.intermediateSize = 4
        configuration.visionConfig.numHiddenLayers = 0
        configuration.visionConfig.patchSize = 112
        let shapes = [
            "concept_embeds": [17, 6], "concept_embeds_weights": [17],
            "special_care_embeds": [3, 6], "special_care_embeds_weights": [3],
            "visual_projection.weight": [6, 8],
            "vision_model.embeddings.class_embedding": [8],
            "vision_model.embeddings.patch_embedding.weight": [8, 3, 112, 112],
            "vision_model.embeddings.position_embedding.weight": [5, 8],
            "vision_model.pre_layrnorm.weight": [8], "vision_model.pre_layrnorm.bias": [8],
            "vision_model.post_layernorm.weight": [8], "vision_model.post_layernorm.bias": [8],
        ]
        func checker(_ shapes: [String: [Int]]) throws -> StableDiffusionSafetyChecker {
            let tensors = try shapes.mapValues { shape in
                try Tensor(
                    [Float](repeating: 1, count: shape.reduce(1, *)), shape: shape, in: library)
            }
            return try StableDiffusionSafetyChecker(
                Weights(InMemorySource(tensors)), configuration: configuration)
        }
        _ = try checker(shapes)
        for name in shapes.keys {
            #expect(throws: CheckpointError.self, "without \(name)") {
                try checker(shapes.filter { $0.key != name })
            }
            #expect(throws: CheckpointError.self, "larger \(name)") {
                try checker(shapes.merging([name: [2, 2]]) { $1 })
            }
        }
        #expect(throws: CheckpointError.self) {
            try checker(shapes.merging(["vision_model.surplus": [1]]) { $1 })
        }
    }

    @Test func unknownValuesAreRefused() throws {
        let folder = try TemporaryFolder()
        func configuration(_ text: String) throws -> StableDiffusionSafetyCheckerConfiguration {
            try StableDiffusionSafetyCheckerConfiguration(
                path: folder.write(Array(text.utf8), to: "config.json"))
        }
        #expect(
            try configuration("{}") == configuration(#"{"vision_config": null, "extra": true}"#))
        for (key, value) in [
            ("hidden_size", "0"), ("intermediate_size", "-1"), ("num_hidden_layers", "5000"),
            ("num_attention_heads", "7"), ("num_attention_heads", "0"), ("num_channels", "1"),
            ("image_size", "0"), ("patch_size", "0"), ("patch_size", "225"),
            ("hidden_act", #""relu""#), ("layer_norm_eps", "0"),
        ] {
            for parent in ["vision_config", "vision_config_dict"] {
                let error = #expect(throws: ConfigurationError.self) {
                    try configuration(#"{"\#(parent)": {"\#(key)": \#(value)}}"#)
                }
                #expect(error?.description.contains("\"\(parent).\(key)\"") == true)
            }
        }
        #expect(throws: ConfigurationError.self) { try configuration(#"{"projection_dim": 0}"#) }
        #expect(throws: ConfigurationError.self) { try configuration(#"{"vision_config": 3}"#) }
        #expect(throws: ConfigurationError.self) { try configuration("[]") }
    }
}
