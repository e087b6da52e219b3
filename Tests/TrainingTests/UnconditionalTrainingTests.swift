import Diffusion
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Training

/// Training of `UNet2DModel`: step by step as diffusers and PyTorch train it, and that it learns.
@Suite struct UnconditionalTrainingTests {
    private let library: LibTorch
    private let folder: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        folder = try TemporaryFolder()
    }

    @Test(arguments: ["epsilon", "sample", "epsilon-snr", "velocity-snr"])
    func twentyStepsAsInDiffusers(_ kind: String) throws {
        let place = folder.file(kind)
        let twenty = TwentySteps(script: "training.py", in: library)
        let losses = try twenty.reference("unconditional", at: place) { randomness in
            let timesteps = randomness.timesteps(4, below: 1000)
            return [
                "noise": try randomness.normal([4, 3, 12, 8], in: library),
                "timesteps": try Tensor(timesteps.map(Int64.init), shape: [4], in: library),
            ]
        }
        var options = UnconditionalObjective.Options()
        options.snrGamma = kind.hasSuffix("snr") ? 5 : nil
        options.sampleSteps = 2
        let objective = try UnconditionalObjective(
            startingFrom: "\(place)/model", options: options, in: library)
        try twenty.compare(
            objective, losses, at: place, elementByElement: options.snrGamma == nil)

        let samples = try objective.samples(count: 3, of: twenty.data(at: place), seed: 0)
        #expect(samples.map(\.size) == Array(repeating: PixelSize(width: 8, height: 12), count: 3))
        let saved = folder.file("saved-\(kind)")
        try objective.save(to: saved)
        let again = try UnconditionalObjective(startingFrom: saved, options: options, in: library)
        #expect(
            again.facts
                == objective.facts.merging(
                    again.facts.filter {
                        $0.key == "starting_weights"
                    }
                ) { $1 })
        #expect(try again.parameters.digest() == objective.parameters.digest())
    }

    @Test func eightPicturesAreLearntByHeart() throws {
        // Plain colours with a cross: what is learnt by heart comes back, though the noise is new.
        let data = try TrainingData(
            (0..<8).map { TrainingPicture(path: "\($0)") }, size: PixelSize(width: 8, height: 8)
        ) { picture in
            let number = try #require(Int(picture.path))
            let pixels = (0..<64).flatMap { place -> [UInt8] in
                let isCross = place % 8 == number || place / 8 == number
                let bits = [number & 1, number >> 1 & 1, number >> 2 & 1]
                return bits.map { ($0 == 1) != isCross ? 230 : 25 }
            }
            return try RGBImage(width: 8, height: 8, pixels: pixels)
        }
        var settings = TrainingSettings()
        settings.steps = 600
        settings.batchSize = 8
        settings.learningRate = 2e-3
        settings.warmupSteps = 20
        settings.weightDecay = 0
        settings.averageDecay = 0.98
        var scheduler = DDPMConfiguration()
        scheduler.training.betaSchedule = .squaredCosine
        scheduler.predictionType = .sample
        var configuration = try UNet2DConfiguration(
            widths: [32, 64], layers: 1, width: 8, height: 8)
        // With a group for each channel of the first level these few steps are enough.
        configuration.normNumGroups = 32
        let objective = try UnconditionalObjective(
            configuration: configuration, scheduler: scheduler, seed: 1, in: library)
        let loop = try TrainingLoop(objective, data: data, settings: settings)
        for _ in 0..<settings.steps { _ = try loop.advance() }

        let samples = try loop.withAverage {
            try objective.samples(count: 32, of: data, seed: 5)
        }
        let known = try (0..<8).map { try data.picture($0) }
        var found = Set<Int>()
        for sample in samples {
            let errors = known.map { picture in
                zip(sample.pixels, picture.pixels).map { abs(Double($0) - Double($1)) }
                    .reduce(0, +) / Double(sample.pixels.count)
            }
            let nearest = try #require(errors.indices.min { errors[$0] < errors[$1] })
            // Of two known pictures the most similar ones differ by 60 levels on average.
            #expect(errors[nearest] < 8, "picture \(nearest)")
            found.insert(nearest)
        }
        #expect(found.count >= 6)
    }

    @Test func sixteenBitsLearnAlmostTheSame() throws {
        var settings = TrainingSettings()
        settings.steps = 30
        settings.batchSize = 4
        settings.learningRate = 1e-3
        settings.warmupSteps = 0
        let losses = try [DType.float32, .bfloat16].map { dtype in
            let objective = try UnconditionalObjective(
                configuration: UNet2DConfiguration(
                    widths: [16, 32], layers: 1, width: 8, height: 8),
                scheduler: DDPMConfiguration(), seed: 1, dtype: dtype, in: library)
            let loop = try TrainingLoop(objective, data: .colors(6), settings: settings)
            return try (0..<settings.steps).map { _ in try loop.advance().loss }
        }
        // Of a step of 1e-3 nothing would be left in 16 bits without masters.
        for (exact, short) in zip(losses[0], losses[1]) {
            #expect((exact - short).magnitude < 0.05 * exact)
        }
        let first: Double = losses[1].prefix(5).reduce(0, +)
        let last: Double = losses[1].suffix(5).reduce(0, +)
        #expect(last < 0.7 * first)
    }

    /// Group norm over one channel takes its mean away, and with it what a flat picture's colour is.
    @Test(arguments: [
        ([64, 128, 128, 256], 32), ([96, 192], 32), ([32, 64], 16), ([24, 48], 8), ([16, 32], 8),
        ([8, 16], 4),
    ])
    func groupsOfNormsHaveSeveralChannels(widths: [Int], groups: Int) throws {
        let configuration = try UNet2DConfiguration(widths: widths, layers: 1, width: 8, height: 8)
        #expect(configuration.normNumGroups == groups)
    }

    @Test func modelsThatCannotBeTrainedAreNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            let error = #expect(throws: TrainingError.self) { try body() }
            return error.map { "\($0)" } ?? ""
        }
        #expect(
            message { _ = try UNet2DConfiguration(widths: [], layers: 1, width: 8, height: 8) }
                .hasPrefix("widths:"))
        #expect(
            message { _ = try UNet2DConfiguration(widths: [30], layers: 1, width: 8, height: 8) }
                .hasPrefix("widths:"))
        #expect(
            message { _ = try UNet2DConfiguration(widths: [8], layers: 0, width: 8, height: 8) }
                .hasPrefix("layers:"))
        #expect(
            message {
                _ = try UNet2DConfiguration(widths: [8, 8, 8], layers: 1, width: 8, height: 6)
            }.contains("multiples of 4"))
        var configuration = try UNet2DConfiguration(widths: [8], layers: 1, width: 8, height: 8)
        configuration.outChannels = 6
        #expect(
            message {
                _ = try UnconditionalObjective(
                    configuration: configuration, scheduler: DDPMConfiguration(), seed: 0,
                    in: library)
            }.hasPrefix("model:"))
    }
}
