import Diffusion
import Imaging
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// The tutorials' framework on the checkpoint that ships with the repository, against the same steps
/// with diffusers.
@Suite struct ImageDiffusionModelTests {
    private struct Answer: Decodable {
        let noise: PackedTensor
        let levels: [UInt8]
        let embeddings: PackedTensor
        let latents: PackedTensor
        let encoded: PackedTensor
        let similar: PackedTensor
        let decoded: PackedTensor
    }

    @Test func equalsTheTutorialsSteps() throws {
        let model = try ImageDiffusionModel(
            modelFolder: StableDiffusionPipelineTests.model, device: .cpu)
        let answer: Answer = try PythonReference("reference.py").run(
            "framework", StableDiffusionPipelineTests.model)

        let embeddings = try model.promptEmbeddings(for: ["a dolphin", "two blue squares"])
        #expect(try answer.embeddings.relativeError(of: #require(embeddings.both)) < 1e-5)
        let latents = try model.latents(
            for: embeddings, height: 48, width: 64, numInferenceSteps: 5,
            latents: answer.noise.tensor(in: model.components.library))
        #expect(try answer.latents.relativeError(of: latents) < 1e-4)

        let picture = try RGBImage(width: 64, height: 48, pixels: answer.levels)
        let encoded = try model.encodedLatents(of: [picture])
        #expect(try answer.encoded.relativeError(of: encoded) < 1e-5)
        let similar = try model.similarLatents(
            to: encoded, embeddings: model.promptEmbeddings(for: ["a dolphin"]),
            numInferenceSteps: 6, startStep: 2, noise: NoiseGenerator(seed: 3))
        #expect(try answer.similar.relativeError(of: similar) < 1e-4)
        let decoded = try model.decodedPixels(of: similar)
        #expect(try answer.decoded.relativeError(of: decoded) < 1e-4)
        #expect(try model.pictures(from: decoded)[0].size == picture.size)
    }

    @Test func badArgumentsAreNamed() throws {
        let model = try ImageDiffusionModel(
            modelFolder: StableDiffusionPipelineTests.model, device: .cpu)
        let picture = try RGBImage(
            width: 16, height: 16, pixels: [UInt8](repeating: 9, count: 3 * 16 * 16))
        func expect(_ name: String, _ body: () throws -> Void) {
            #expect {
                try body()
            } throws: {
                "\($0)".hasPrefix(name)
            }
        }
        expect("prompt:") { _ = try model.promptEmbeddings(for: []) }
        expect("start_step:") {
            _ = try model.similarPictures(
                to: picture, prompt: "x", numInferenceSteps: 4, startStep: 4)
        }
        expect("num_inference_steps:") {
            _ = try model.pictures(for: ["x"], height: 16, width: 16, numInferenceSteps: 0)
        }
        expect("img:") { _ = try model.encodedLatents(of: []) }
        expect("img:") {
            let odd = try RGBImage(
                width: 15, height: 16, pixels: [UInt8](repeating: 9, count: 3 * 15 * 16))
            _ = try model.encodedLatents(of: [odd])
        }
    }
}
