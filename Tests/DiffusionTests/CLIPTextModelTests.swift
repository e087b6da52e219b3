import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The text encoder against transformers' own, with the same weights and tokens.
@Suite struct CLIPTextModelTests {
    private struct Answer: Decodable {
        let folder: String
        let ids: [[Int]]
        let outputs: [String: PackedTensor]
    }

    @Test func equalsTransformers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("text", folder.path)
        #expect(answers.count == 6)
        for answer in answers {
            let model = try load(answer.folder, in: library)
            let error = try #require(answer.outputs["hidden"]).relativeError(of: model(answer.ids))
            #expect(error < 1e-5, "\(answer.folder)")
            #expect(throws: TorchError.self) { try model([[0, 1], [2]]) }
            #expect(throws: TorchError.self) { try model([[1000]]) }
            #expect(throws: TorchError.self) { try model([[-1]]) }
            #expect(throws: TorchError.self) { try model([]) }
            #expect(throws: TorchError.self) { try model([Array(repeating: 0, count: 78)]) }
        }
    }

    private func load(_ folder: String, in library: LibTorch) throws -> CLIPTextModel {
        try CLIPTextModel(
            Weights(ComponentFolder.open(folder, in: library)),
            configuration: CLIPTextConfiguration(path: "\(folder)/config.json"), in: library)
    }
}
