import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The autoencoder against diffusers' own, with the same weights and inputs.
@Suite struct AutoencoderKLTests {
    private struct Answer: Decodable {
        let folder: String
        let inputs: [String: PackedTensor]
        let outputs: [String: PackedTensor]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("autoencoder", folder.path)
        #expect(answers.count == 5)
        for answer in answers {
            let configuration = try AutoencoderKLConfiguration(path: "\(answer.folder)/config.json")
            let weights = Weights(try ComponentFolder.open(answer.folder, in: library))
            let model = try AutoencoderKL(weights, configuration: configuration)
            let posterior = try model.encode(
                #require(answer.inputs["picture"]).tensor(in: library))
            let noise = try #require(answer.inputs["noise"]).tensor(in: library)
            let sample = try posterior.sample(noise: noise)
            let results = [
                "mean": posterior.mean, "logVariance": posterior.logVariance, "sample": sample,
                "decoded": try model.decode(sample),
            ]
            #expect(Set(results.keys) == Set(answer.outputs.keys))
            for (name, expected) in answer.outputs {
                let error = try expected.relativeError(of: #require(results[name]))
                #expect(error < 1e-5, "\(name) of \(answer.folder)")
            }
        }
    }

    /// Pictures larger than a tile, in both directions or in one, and one that is as large.
    @Test func takesPicturesInTilesAsDiffusersDoes() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("tiles", folder.path)
        #expect(answers.count == 4)
        for answer in answers {
            let configuration = try AutoencoderKLConfiguration(path: "\(answer.folder)/config.json")
            #expect(configuration.sampleSize == .all(32))
            let weights = Weights(try ComponentFolder.open(answer.folder, in: library))
            let model = try AutoencoderKL(weights, configuration: configuration)
            model.usesTiling = true
            let posterior = try model.encode(
                #require(answer.inputs["picture"]).tensor(in: library))
            let results = [
                "mean": posterior.mean, "logVariance": posterior.logVariance,
                "decoded": try model.decode(
                    #require(answer.inputs["latents"]).tensor(in: library)),
            ]
            for (name, expected) in answer.outputs {
                let error = try expected.relativeError(of: #require(results[name]))
                #expect(error < 1e-5, "\(name) of \(answer.inputs["picture"]?.shape ?? [])")
            }
        }
    }
}
