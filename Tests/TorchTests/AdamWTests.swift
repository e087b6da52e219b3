import TestSupport
import Testing

@testable import Torch

/// The optimiser and the clipping of gradients against torch's own.
@Suite struct AdamWTests {
    private struct Answer: Decodable {
        let start: [String: PackedTensor]
        let runs: [Run]

        struct Run: Decodable {
            let isDefault: Bool
            /// Learning rate, β₁, β₂, ε, weight decay.
            let options: [Double]
            let steps: [Step]
        }

        struct Step: Decodable {
            let gradients: [String: PackedTensor]
            let limit: Double
            let norm: Double
            let clipped: [String: PackedTensor]
            let parameters: [String: PackedTensor]
        }
    }

    private let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    @Test func equalsTorch() throws {
        let answer: Answer = try PythonReference("gradients_reference.py").run("adamw")
        #expect(answer.runs.count == 3)
        for run in answer.runs {
            let parameters = try answer.start.mapValues { try $0.tensor(in: library) }
            var options = AdamW.Options()
            if !run.isDefault {
                options.learningRate = run.options[0]
                (options.beta1, options.beta2) = (run.options[1], run.options[2])
                options.epsilon = run.options[3]
                options.weightDecay = run.options[4]
            }
            let optimizer = try AdamW(parameters, options: options)
            for step in run.steps {
                let gradients = try step.gradients.mapValues { try $0.tensor(in: library) }
                let norm = try #require(try gradients.totalNorm()).elements(as: Double.self)[0]
                #expect((norm - step.norm).magnitude < 1e-6 * step.norm)
                let clipped = try gradients.clipped(toTotalNorm: step.limit)
                try expect(clipped, equal: step.clipped)
                try optimizer.step(clipped)
                try expect(parameters, equal: step.parameters)
            }
        }
    }

    private func expect(_ found: [String: Tensor], equal expected: [String: PackedTensor]) throws {
        #expect(Set(found.keys) == Set(expected.keys))
        for (name, expected) in expected {
            #expect(try expected.relativeError(of: #require(found[name])) < 1e-6, "\(name)")
        }
    }

    @Test func aModelLearns() throws {
        // y = 2 x - 1 from eight points.
        let x = try Tensor((0..<8).map { Float($0) / 4 - 1 }, shape: [8, 1], in: library)
        let y = try 2 * x - 1
        let parameters = [
            "weight": try Tensor([0] as [Float], shape: [1, 1], in: library),
            "bias": try Tensor([0] as [Float], shape: [1], in: library),
        ]
        var options = AdamW.Options()
        options.learningRate = 0.05
        options.weightDecay = 0
        let optimizer = try AdamW(parameters, options: options)
        var last = Float.infinity
        for _ in 0..<300 {
            let (loss, gradients) = try withGradients(of: parameters) {
                try x.linear(weight: #require(parameters["weight"]), bias: parameters["bias"])
                    .meanSquaredError(to: y)
            }
            try optimizer.step(gradients)
            last = try loss.elements(as: Float.self)[0]
        }
        #expect(last < 1e-4)
        #expect(
            try (#require(parameters["weight"]).elements(as: Float.self)[0] - 2).magnitude < 0.05)
    }

    @Test func whatDoesNotFitIsRefusedAndChangesNothing() throws {
        let a = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let wide = try Tensor([1, 2] as [Double], shape: [2], in: library)
        let optimizer = try AdamW(["a": a])
        for gradients in [
            ["b": a], ["a": wide], ["a": try a.reshaped([1, 2])], ["a": a, "z": a],
        ] {
            #expect(throws: TorchError.self) { try optimizer.step(gradients) }
        }
        optimizer.options.beta2 = 1
        #expect(throws: TorchError.self) { try optimizer.step(["a": a.cloned()]) }
        #expect(try a.elements(as: Float.self) == [1, 2])
        #expect(throws: TorchError.self) { try AdamW(["a": a, "wide": wide]) }
        let column = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2], in: library)
            .narrowed(dimension: 1, start: 0, length: 1)
        #expect(throws: TorchError.self) { try AdamW(["column": column]) }
        var options = AdamW.Options()
        options.learningRate = -.infinity
        #expect(throws: TorchError.self) { try AdamW(["a": a], options: options) }
        #expect(throws: TorchError.self) { try ["a": a].clipped(toTotalNorm: 0) }
        #expect(try [String: Tensor]().clipped(toTotalNorm: 1).isEmpty)
    }
}
