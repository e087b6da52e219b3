import Checkpoints
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
    private static let steps = 20

    init() throws {
        library = try LibTorch.shared()
        folder = try TemporaryFolder()
    }

    private static var settings: TrainingSettings {
        var settings = TrainingSettings()
        settings.steps = steps
        settings.batchSize = 4
        settings.learningRate = 2e-3
        settings.warmupSteps = 0
        settings.schedule = .constant
        settings.averageDecay = nil
        settings.seed = 11
        return settings
    }

    @Test func twentyStepsOfTheAutoencoder() throws {
        let place = folder.file("autoencoder")
        let losses = try reference("autoencoder", at: place) { randomness in
            ["posterior": try randomness.normal([4, 4, 6, 4], for: .posterior, in: library)]
        }
        var options = AutoencoderObjective.Options()
        options.squaredWeight = 0.5
        options.divergenceWeight = 1e-3
        options.scaleWeight = 0.1
        let objective = try AutoencoderObjective(
            startingFrom: "\(place)/model", options: options, in: library)
        try compare(objective, losses, at: place)

        let samples = try objective.samples(count: 4, of: data(at: place), seed: 0)
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
        let losses = try reference("text_to_image", at: place) { randomness in
            let timesteps = randomness.timesteps(4, below: 1000)
            let dropped = randomness.chances(4, of: 0.3, for: .dropout)
            return [
                "posterior": try randomness.normal(shape, for: .posterior, in: library),
                "noise": try randomness.normal(shape, for: .noise, in: library),
                "timesteps": try Tensor(timesteps.map(Int64.init), shape: [4], in: library),
                "dropped": try Tensor(dropped.map { $0 ? 1 : 0 } as [Int64], shape: [4], in: library),
            ]
        }
        var options = TextToImageObjective.Options()
        options.trainsTextEncoder = true
        options.captionDropout = 0.3
        options.sampleSteps = 2
        let objective = try TextToImageObjective(
            startingFrom: "\(place)/model", options: options, in: library)
        try compare(objective, losses, at: place)

        let samples = try objective.samples(count: 3, of: data(at: place), seed: 0)
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

    // MARK: - The reference

    /// The losses of the reference's steps.
    /// - Parameter draws: what is drawn for a micro-batch beside its pictures.
    private func reference(
        _ command: String, at place: String, draws: (TrainingRandomness) throws -> [String: Tensor]
    ) throws -> [Double] {
        let settings = Self.settings
        var order = BatchOrder(count: 8, seed: settings.seed)
        var rows: [String: [Tensor]] = [:]
        for step in 1...settings.steps {
            let samples = order.samples(from: (step - 1) * 4, count: 4)
            rows["indices", default: []].append(
                try Tensor(samples.map { Int64($0.index) }, shape: [4], in: library))
            for (name, draw) in try draws(TrainingRandomness(seed: settings.seed, step: step)) {
                rows[name, default: []].append(draw)
            }
        }
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try SafetensorsWriter.write(
            rows.mapValues { rows in
                try Tensor.concatenated(
                    rows.map { try $0.reshaped([1] + $0.shape) }, dimension: 0)
            }, to: "\(place)/draws.safetensors")
        return try PythonReference("latent_training.py").run(command, place)
    }

    /// The reference's pictures and captions.
    private func data(at place: String) throws -> TrainingData {
        let file = try SafetensorsFile(path: "\(place)/pictures.safetensors", in: library)
        let tensor = try file.tensor(named: "pictures")
        let values: [UInt8] = try tensor.elements()
        let (height, width) = (tensor.shape[1], tensor.shape[2])
        let captions = try? JSONDecoder().decode(
            [String].self, from: Data(contentsOf: URL(fileURLWithPath: "\(place)/captions.json")))
        let byteCount = 3 * width * height
        return try TrainingData(
            (0..<tensor.shape[0]).map { TrainingPicture(path: "\($0)", caption: captions?[$0]) },
            size: PixelSize(width: width, height: height)
        ) { picture in
            let start = try #require(Int(picture.path)) * byteCount
            return try RGBImage(
                width: width, height: height, pixels: Array(values[start..<start + byteCount]))
        }
    }

    private func compare(
        _ objective: any TrainingObjective, _ losses: [Double], at place: String
    ) throws {
        let loop = try TrainingLoop(objective, data: data(at: place), settings: Self.settings)
        try #require(losses.count == Self.steps)
        for expected in losses {
            let step = try loop.advance()
            #expect(abs(step.loss - expected) < 1e-4 * expected, "step \(step.number)")
        }
        let trained = try SafetensorsFile(path: "\(place)/trained.safetensors", in: library)
        #expect(Set(trained.names) == Set(objective.parameters.keys))
        for (name, tensor) in objective.parameters {
            let expected = try trained.tensor(named: name).elements(as: Double.self)
            let found = try tensor.elements(as: Double.self)
            // A bias of keys has no influence: what it learns is the optimiser's scale of rounding.
            guard !name.hasSuffix("k_proj.bias"), !name.hasSuffix("to_k.bias") else { continue }
            let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
            let largest = expected.map(abs).max() ?? 0
            #expect(worst <= 1e-4 * max(largest, 1), "\(name)")
        }
    }
}
