import Checkpoints
import Diffusion
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// Pictures from noise alone, against diffusers' `DDPMPipeline` and `DDIMPipeline`.
@Suite struct UnconditionalPipelineTests {
    private struct Answer: Decodable {
        let folder: String
        let pipeline: String
        let seed: UInt64
        let steps: Int
        let count: Int
        let eta: Double
        let clipped: Bool
        let pictures: PackedTensor
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func equalsDiffusers() throws {
        let answers: [Answer] = try PythonReference("unconditional_reference.py")
            .run("pictures", folder.path)
        #expect(answers.count == 10)
        for answer in answers {
            let pipeline: any UnconditionalPipeline =
                answer.pipeline == "DDPMPipeline"
                ? try DDPMPipeline(modelFolder: answer.folder, device: .cpu)
                : try DDIMPipeline(modelFolder: answer.folder, device: .cpu)
            var request = SamplingRequest(
                batchSize: answer.count, numInferenceSteps: answer.steps)
            request.eta = answer.eta
            request.usesClippedModelOutput = answer.clipped
            var steps = 0
            let made = try pipeline.pictures(for: request, seed: answer.seed) { step in
                #expect(step.number == steps && step.count == answer.steps)
                steps += 1
            }
            #expect(steps == answer.steps)
            let place: Comment = "\(answer.pipeline) of \(answer.folder), η \(answer.eta)"
            let error = try answer.pictures.relativeError(of: made.sample.inUnitRange())
            #expect(error < 1e-4, place)
            #expect(made.pictures.count == answer.count, place)
            let shape = answer.pictures.shape
            let first = try #require(made.pictures.first)
            #expect([first.height, first.width] == Array(shape[2...]), place)
            // One value of the picture, as 8 bits.
            let level = (answer.pictures.values[0] * 255).rounded(.toNearestOrEven)
            #expect(abs(Double(first.pixels[0]) - level) <= 1, place)
        }
    }

    /// The same seed gives the same bits, another one others.
    @Test func seedsAreFollowed() throws {
        let pipeline = try Self.pipeline()
        let request = SamplingRequest(batchSize: 2, numInferenceSteps: 4)
        func values(_ seed: UInt64?) throws -> [Float] {
            try pipeline.pictures(for: request, seed: seed).sample.elements(as: Float.self)
        }
        #expect(try values(1) == values(1))
        #expect(try values(1) != values(2))
        #expect(try values(nil) != values(nil))
    }

    @Test func givenNoiseIsTaken() throws {
        let pipeline = try Self.pipeline()
        var request = SamplingRequest(batchSize: 1, numInferenceSteps: 3)
        let drawn = try DDIMPipeline(unet: pipeline.unet, settings: pipeline.scheduler.settings)
            .pictures(for: request, seed: 9)
        request.noise = try NoiseGenerator(seed: 9).normal(
            [1, 3, 8, 8], in: pipeline.unet.library)
        let given = try DDIMPipeline(unet: pipeline.unet, settings: pipeline.scheduler.settings)
            .pictures(for: request)
        #expect(drawn.pictures == given.pictures)
    }

    @Test func badRequestsAreNamed() throws {
        let pipeline = try Self.pipeline()
        func expect(_ name: String, _ change: (inout SamplingRequest) throws -> Void) throws {
            var request = SamplingRequest(numInferenceSteps: 2)
            try change(&request)
            #expect {
                try pipeline.pictures(for: request)
            } throws: {
                "\($0)".hasPrefix(name)
            }
        }
        try expect("batch_size:") { $0.batchSize = 0 }
        try expect("num_inference_steps:") { $0.numInferenceSteps = 0 }
        try expect("num_inference_steps:") { $0.numInferenceSteps = 1001 }
        try expect("eta:") { $0.eta = 1.5 }
        try expect("noise:") {
            $0.noise = try NoiseGenerator(seed: 1).normal([1, 3, 4, 4], in: pipeline.unet.library)
        }
        let sizeless = try Self.pipeline { ($0.sampleHeight, $0.sampleWidth) = (nil, nil) }
        #expect {
            try sizeless.pictures(for: SamplingRequest(numInferenceSteps: 2))
        } throws: {
            "\($0)".hasPrefix("sample_size:")
        }
        let other = try Self.pipeline { $0.outChannels = 4 }
        #expect {
            try other.pictures(for: SamplingRequest(numInferenceSteps: 2))
        } throws: {
            "\($0)".hasPrefix("unet:")
        }
    }

    /// A model of another kind is told by its name rather than by what its files lack.
    @Test func aModelForPromptsIsRefused() throws {
        #expect {
            try DDPMPipeline(modelFolder: StableDiffusionPipelineTests.model, device: .cpu)
        } throws: {
            "\($0)".contains("UNet2DConditionModel") && "\($0)".contains("StableDiffusionPipeline")
        }
        #expect(throws: CheckpointError.self) {
            try DDPMPipeline(modelFolder: folder.path, device: .cpu)
        }
    }

    @Test func statesOnTheWayMakeAStrip() throws {
        let pipeline = try Self.pipeline()
        var states = ReverseSteps(count: 3)
        _ = try pipeline.pictures(
            for: SamplingRequest(batchSize: 2, numInferenceSteps: 10), seed: 3,
            onStep: { try states.add($0) })
        #expect(states.states.map(\.timestep) == [600, 300, 0])
        #expect(states.states.allSatisfy { $0.samples.count == 2 && $0.clean.count == 2 })
        let strip = try states.strip(ofPicture: 1, cell: 40).image
        // Three columns and two rows.
        #expect(strip.width > 3 * 40 && strip.width < 4 * 40)
        #expect(strip.height > 2 * 40 && strip.height < 3 * 40)
        #expect(throws: PipelineError.self) { try states.strip(ofPicture: 2, cell: 40) }
        #expect(throws: PipelineError.self) {
            try ReverseSteps(count: 1).strip(ofPicture: 0, cell: 9)
        }
        // Fewer steps than were asked for are all kept.
        var all = ReverseSteps(count: 30)
        _ = try pipeline.pictures(
            for: SamplingRequest(numInferenceSteps: 4), seed: 3, onStep: { try all.add($0) })
        #expect(all.states.count == 4)
    }

    @Test func noiseGrowsAlongAStrip() throws {
        let library = try LibTorch.shared()
        let scheduler = DDPMScheduler(DDPMConfiguration())
        let picture = try RGBImage(
            width: 8, height: 8, pixels: [UInt8](repeating: 200, count: 3 * 64))
        let strip = try ForwardSteps.strip(
            of: picture, at: [0, 100, 999], scheduler: scheduler, seed: 1, cell: 16, in: library)
        #expect(strip.image.width > 4 * 16 && strip.image.height < 3 * 16)
        // How much the pixels of one state differ from the clean picture.
        func deviation(_ column: Int) -> Double {
            let layout = 2 + column * 18
            var total = 0.0
            for row in 2..<18 {
                for place in layout..<layout + 16 {
                    total += abs(
                        Double(strip.image.pixels[3 * (row * strip.image.width + place)]) - 200)
                }
            }
            return total
        }
        #expect(deviation(0) == 0)
        #expect(deviation(1) < deviation(2) && deviation(2) < deviation(3))
        #expect(throws: SchedulerError.self) {
            try ForwardSteps.strip(
                of: picture, at: [1000], scheduler: scheduler, cell: 16, in: library)
        }
    }

    private static func pipeline(
        _ change: (inout UNet2DConfiguration) -> Void = { _ in }
    ) throws -> DDPMPipeline {
        let library = try LibTorch.shared()
        var configuration = UNet2DConfiguration()
        (configuration.sampleHeight, configuration.sampleWidth) = (8, 8)
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        configuration.blockOutChannels = [8, 8]
        configuration.layersPerBlock = 1
        configuration.normNumGroups = 4
        change(&configuration)
        let unet = try UNet2DModel(
            Weights(RandomSource(seed: 1, in: library)), configuration: configuration, in: library)
        return DDPMPipeline(unet: unet, scheduler: DDPMScheduler(DDPMConfiguration()))
    }
}
