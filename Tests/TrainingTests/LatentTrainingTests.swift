import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Training

/// Training of the parts of a latent diffusion model against loops in diffusers and PyTorch, from the same
/// weights, pictures and draws.
@Suite struct LatentTrainingTests {
    private let library: LibTorch
    private let folder: TemporaryFolder
    private let twenty: TwentySteps

    init() throws {
        library = try LibTorch.shared()
        folder = try TemporaryFolder()
        twenty = TwentySteps(script: "training.py", in: library)
    }

    @Test func twentyStepsOfTheAutoencoder() throws {
        let place = folder.file("autoencoder")
        let losses = try twenty.reference("autoencoder", at: place) { randomness in
            ["posterior": try randomness.normal([4, 4, 6, 4], for: .posterior, in: library)]
        }
        var options = AutoencoderObjective.Options()
        options.squaredWeight = 0.5
        options.divergenceWeight = 1e-3
        options.scaleWeight = 0.1
        let objective = try AutoencoderObjective(
            startingFrom: "\(place)/model", options: options, in: library)
        try twenty.compare(objective, losses, at: place)

        let samples = try objective.samples(count: 4, of: twenty.data(at: place), seed: 0)
        #expect(samples.map(\.width) == [8, 8, 8, 8])
        let saved = folder.file("saved")
        try objective.save(to: saved)
        let again = try AutoencoderObjective(startingFrom: saved, in: library)
        #expect(try again.parameters.digest() == (try objective.parameters.digest()))
    }

    @Test(arguments: ["epsilon", "velocity"])
    func twentyStepsOfTextToImage(_ prediction: String) throws {
        let place = folder.file(prediction)
        let shape = [4, 4, 8, 6]
        let losses = try twenty.reference("text_to_image", at: place) { randomness in
            let timesteps = randomness.timesteps(4, below: 1000)
            let dropped = randomness.chances(4, of: 0.3, for: .dropout)
            return [
                "posterior": try randomness.normal(shape, for: .posterior, in: library),
                "noise": try randomness.normal(shape, for: .noise, in: library),
                "timesteps": try Tensor(timesteps.map(Int64.init), shape: [4], in: library),
                "dropped": try Tensor(
                    dropped.map { $0 ? 1 : 0 } as [Int64], shape: [4], in: library),
            ]
        }
        var options = TextToImageObjective.Options()
        options.trainsTextEncoder = true
        options.captionDropout = 0.3
        options.sampleSteps = 2
        let objective = try TextToImageObjective(
            startingFrom: "\(place)/model", options: options, in: library)
        try twenty.compare(objective, losses, at: place)

        let samples = try objective.samples(count: 3, of: twenty.data(at: place), seed: 0)
        #expect(samples.map(\.height) == [16, 16, 16])
        let saved = folder.file("saved-\(prediction)")
        objective.savedDType = .float16
        try objective.save(to: saved)
        let again = try TextToImageObjective(
            startingFrom: saved, options: options, in: library)
        #expect(again.parameters.count == objective.parameters.count)
        let name = "unet.conv_in.weight"
        let (before, after) = (objective.parameters[name], again.parameters[name])
        #expect(
            try before?.converted(to: .float16).elements(as: Float.self)
                == after?.elements(as: Float.self))
    }

    @Test func badOptionsAreNamed() throws {
        let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("python/demo_checkpoint").path
        func expect(_ name: String, _ build: () throws -> Void) {
            let error = #expect(throws: TrainingError.self) { try build() }
            #expect(error?.description.hasPrefix("\(name):") ?? false)
        }
        func autoencoder(_ change: (inout AutoencoderObjective.Options) -> Void) throws {
            var options = AutoencoderObjective.Options()
            change(&options)
            _ = try AutoencoderObjective(startingFrom: model, options: options, in: library)
        }
        expect("divergence_weight") { try autoencoder { $0.divergenceWeight = -1 } }
        expect("scale_weight") { try autoencoder { $0.scaleWeight = .nan } }
        expect("absolute_weight, squared_weight") { try autoencoder { $0.absoluteWeight = 0 } }
        func textToImage(
            _ model: String, _ change: (inout TextToImageObjective.Options) -> Void
        ) throws {
            var options = TextToImageObjective.Options()
            change(&options)
            _ = try TextToImageObjective(startingFrom: model, options: options, in: library)
        }
        expect("caption_dropout") { try textToImage(model) { $0.captionDropout = 1.5 } }
        expect("snr_gamma") { try textToImage(model) { $0.snrGamma = 0 } }
        expect("guidance_scale") { try textToImage(model) { $0.guidanceScale = .infinity } }
        expect("sample_steps") { try textToImage(model) { $0.sampleSteps = 0 } }
        expect("model") { try textToImage("\(model)/unet") { _ in } }
        let objective = try TextToImageObjective(startingFrom: model, in: library)
        expect("captions") {
            _ = try objective.loss(
                of: TrainingBatch([TrainingSample(index: 0)], of: .colors(1)),
                randomness: TrainingRandomness(seed: 0, step: 1))
        }
    }
}
