import Diffusion
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// Text to picture on the checkpoint that ships with the repository, against diffusers' pipeline.
@Suite struct StableDiffusionPipelineTests {
    private struct Answer: Decodable {
        let noise: PackedTensor
        let latents: [String: PackedTensor]
        let pixels: [String: PackedTensor]
    }

    static var model: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("python/demo_checkpoint").path
    }

    private static func request() -> GenerationRequest {
        var request = GenerationRequest(
            prompts: ["a red circle", "two blue squares, left and right"])
        request.height = 48
        request.width = 64
        request.numInferenceSteps = 4
        return request
    }

    @Test func equalsDiffusers() throws {
        let answer: Answer = try PythonReference("reference.py").run("pipeline", Self.model)
        let pipeline = try StableDiffusionPipeline(modelFolder: Self.model, device: .cpu)
        let library = pipeline.components.library
        func check(_ name: String, seed: UInt64? = nil, _ change: (inout GenerationRequest) -> Void)
            throws -> [RGBImage]
        {
            var request = Self.request()
            if seed == nil { request.latents = try answer.noise.tensor(in: library) }
            change(&request)
            let made = try pipeline.pictures(for: request, seed: seed)
            let error = try #require(answer.latents[name]).relativeError(of: made.latents)
            #expect(error < 1e-4, "\(name)")
            #expect(made.pictures.count == 2)
            return made.pictures
        }
        _ = try check("own") { _ in }
        _ = try check("negative") { $0.negativePrompts = ["green", "a cat"] }
        _ = try check("unguided") { $0.guidanceScale = 1 }
        _ = try check("seeded", seed: 7) { _ in }
        _ = try check("repeated") {
            $0.prompts = [$0.prompts[0]]
            $0.imagesPerPrompt = 2
        }
        pipeline.scheduler = try Schedulers.type(named: "DPMSolverMultistepScheduler")
            .init(pipeline.scheduler.settings)
        let pictures = try check("replaced") { _ in }
        let expected = try #require(answer.pixels["replaced"]).values
        let differences = zip(pictures.flatMap(\.pixels), expected).map { abs(Double($0) - $1) }
        #expect(differences.count == expected.count)
        #expect((differences.max() ?? .infinity) <= 1)
        #expect(differences.count { $0 > 0 } * 1000 <= differences.count)
    }

    @Test func theLoopCanBeSteppedPreviewedAndStopped() throws {
        let pipeline = try StableDiffusionPipeline(modelFolder: Self.model, device: .cpu)
        pipeline.scheduler = try DDIMScheduler(pipeline.scheduler.settings)
        var loop = try pipeline.loop(for: Self.request(), noise: NoiseGenerator(seed: 1))
        #expect(loop.remainingCount == 4)
        let first = try #require(try loop.next())
        #expect((first.number, first.count) == (0, 4))
        let preview = try pipeline.pictures(from: #require(first.clean))
        #expect(preview.map(\.width) == [64, 64])
        // Stopped here: what was reached is a picture too.
        #expect(try pipeline.pictures(from: loop.latents).count == 2)
        while try loop.next() != nil {}
        #expect(try loop.next() == nil)
        #expect(try loop.latents.isFinite())
    }

    @Test func badRequestsAreNamed() throws {
        let pipeline = try StableDiffusionPipeline(modelFolder: Self.model, device: .cpu)
        func expect(_ name: String, _ change: (inout GenerationRequest) throws -> Void) throws {
            var request = Self.request()
            try change(&request)
            #expect {
                try pipeline.pictures(for: request)
            } throws: {
                "\($0)".hasPrefix("\(name)")
            }
        }
        try expect("prompt:") { $0.prompts = [] }
        try expect("negative_prompt:") { $0.negativePrompts = ["a", "b", "c"] }
        try expect("num_images_per_prompt:") { $0.imagesPerPrompt = 0 }
        try expect("num_inference_steps:") { $0.numInferenceSteps = 0 }
        try expect("num_inference_steps:") { $0.numInferenceSteps = 1001 }
        try expect("guidance_scale:") { $0.guidanceScale = .nan }
        try expect("eta:") { $0.eta = 2 }
        try expect("height:") { $0.height = 100 }
        try expect("width:") { $0.width = -8 }
        try expect("latents:") {
            $0.latents = try NoiseGenerator(seed: 0).normal(
                [1, 4, 6, 8], in: pipeline.components.library)
        }
    }

    @Test func partsOfSeveralModelsMakeOne() throws {
        let first = try StableDiffusionComponents(folder: Self.model, device: .cpu)
        let second = try StableDiffusionComponents(folder: Self.model, device: .cpu)
        let both = try StableDiffusionComponents(
            autoencoderOf: first, tokenizerOf: second, textEncoderOf: second, unetOf: first)
        #expect(try both.autoencoder === first.autoencoder)
        #expect(try both.textEncoder === second.textEncoder)
        let half = try StableDiffusionComponents(folder: Self.model, dtype: .bfloat16, device: .cpu)
        #expect(throws: PipelineError.self) {
            try StableDiffusionComponents(
                autoencoderOf: half, tokenizerOf: half, textEncoderOf: first, unetOf: first)
        }
    }

    @Test func float16IsForGPUs() throws {
        let pipeline = try StableDiffusionPipeline(
            modelFolder: Self.model, device: .cpu, dtype: .float16)
        #expect {
            try pipeline.pictures(for: Self.request())
        } throws: {
            "\($0)".hasPrefix("torch_dtype: float16")
        }
    }
}
