import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The UNet against diffusers' own, with the same weights and inputs.
@Suite struct UNet2DConditionModelTests {
    private struct Answer: Decodable {
        let folder: String
        let timestep: Double
        let inputs: [String: PackedTensor]
        let outputs: [String: PackedTensor]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("unet", folder.path)
        #expect(answers.count == 12)
        for answer in answers {
            let configuration = try UNet2DConditionConfiguration(
                path: "\(answer.folder)/config.json")
            let weights = Weights(try ComponentFolder.open(answer.folder, in: library))
            let model = try UNet2DConditionModel(
                weights, configuration: configuration, in: library)
            let output = try model(
                #require(answer.inputs["latents"]).tensor(in: library), timestep: answer.timestep,
                context: #require(answer.inputs["context"]).tensor(in: library))
            let error = try #require(answer.outputs["output"]).relativeError(of: output)
            #expect(error < 1e-5, "\(answer.folder) at \(answer.timestep)")
        }
    }
}
