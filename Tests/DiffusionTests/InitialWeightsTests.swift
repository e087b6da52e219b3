import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Models before any training against diffusers' and transformers' own.
@Suite struct InitialWeightsTests {
    /// Of each tensor the root of the mean square, and the largest magnitude.
    private typealias Answer = [String: [String: [Double]]]

    @Test func areDrawnAsTheReferenceDrawsThem() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answer: Answer = try PythonReference("Saving/saving_reference.py")
            .run("fresh", folder.path)
        #expect(answer.count == 4)
        for (name, expected) in answer {
            let path = folder.file("\(name)/config.json")
            let parameters = Parameters()
            func weights(_ source: InitialWeights) -> Weights {
                Weights(source, keepingIn: parameters)
            }
            let plain = InitialWeights(seed: 1, in: library)
            switch name {
            case "plain":
                _ = try UNet2DModel(
                    weights(plain), configuration: UNet2DConfiguration(path: path), in: library)
            case "unet":
                _ = try UNet2DConditionModel(
                    weights(plain), configuration: UNet2DConditionConfiguration(path: path),
                    in: library)
            case "autoencoder":
                let configuration = try AutoencoderKLConfiguration(path: path)
                try AutoencoderKL(weights(plain), configuration: configuration).load()
            default:
                let configuration = try CLIPTextConfiguration(path: path)
                _ = try CLIPTextModel(
                    weights(InitialWeights(of: configuration, seed: 1, in: library)),
                    configuration: configuration, in: library)
            }
            let prefix = name == "text" ? "text_model." : ""
            #expect(Set(parameters.tensors.keys) == Set(expected.keys.map { prefix + $0 }))
            for (key, expected) in expected {
                let found = try #require(parameters.tensors[prefix + key])
                    .elements(as: Double.self)
                let square = found.map { $0 * $0 }.reduce(0, +) / Double(found.count)
                let largest = found.map(\.magnitude).max() ?? 0
                if expected[0] == expected[1] {
                    // All ones, or all zeros.
                    #expect(found.allSatisfy { $0 == expected[1] }, "\(name) \(key)")
                    continue
                }
                guard found.count >= 16 else {
                    // A bias of few channels, from the range of the weight beside it.
                    let weight = try #require(answer[name]?["\(key.dropLast(4))weight"])
                    #expect(largest > 0 && largest < 1.1 * weight[1], "\(name) \(key)")
                    continue
                }
                // Five times what two draws of so many numbers differ by.
                let tolerance = 5 / Double(found.count).squareRoot()
                #expect(abs(square.squareRoot() / expected[0] - 1) < tolerance, "\(name) \(key)")
                if found.count > 100 {
                    // Of a uniform distribution hardly any; of a normal one it varies.
                    let isUniform = expected[1] < 1.8 * expected[0]
                    #expect(
                        abs(largest / expected[1] - 1) < (isUniform ? 0.1 : 0.5),
                        "\(name) \(key)")
                }
            }
        }
    }

    @Test func dependOnTheSeedAndTheNameAlone() throws {
        let library = try LibTorch.shared()
        func draw(_ seed: UInt32, _ names: [String]) throws -> [[Float]] {
            let source = InitialWeights(seed: seed, in: library)
            return try names.map { try source.tensor(named: $0, shape: [4, 5]).elements() }
        }
        let first = try draw(1, ["a.weight", "b.weight"])
        #expect(try first == draw(1, ["b.weight", "a.weight"]).reversed())
        #expect(first[0] != first[1])
        #expect(try draw(2, ["a.weight"])[0] != first[0])
        #expect(throws: CheckpointError.self) {
            try InitialWeights(seed: 1, in: library).tensor(named: "a.weight")
        }
    }
}
