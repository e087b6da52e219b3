import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The UNet against diffusers' own, with the same weights and inputs.
@Suite struct UNet2DConditionModelTests {
    private struct Answer: Decodable {
        let folder: String
        let timesteps: [Int]
        let inputs: [String: PackedTensor]
        let outputs: [String: PackedTensor]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("unet", folder.path)
        #expect(answers.count == 16)
        for answer in answers {
            let configuration = try UNet2DConditionConfiguration(
                path: "\(answer.folder)/config.json")
            let weights = Weights(try ComponentFolder.open(answer.folder, in: library))
            let model = try UNet2DConditionModel(
                weights, configuration: configuration, in: library)
            let latents = try #require(answer.inputs["latents"]).tensor(in: library)
            let context = try #require(answer.inputs["context"]).tensor(in: library)
            let output = try model(latents, timesteps: answer.timesteps, context: context)
            let error = try #require(answer.outputs["output"]).relativeError(of: output)
            #expect(error < 1e-5, "\(answer.folder) at \(answer.timesteps)")
            if Set(answer.timesteps).count == 1 {
                let single = try model(
                    latents, timestep: Double(answer.timesteps[0]), context: context)
                #expect(try output.elements(as: Float.self) == single.elements(as: Float.self))
            }
            #expect(throws: TorchError.self) {
                try model(latents, timesteps: answer.timesteps + [0], context: context)
            }
        }
    }
}
