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

    private struct Masters: Decodable {
        let start: PackedTensor
        let steps: [Step]

        struct Step: Decodable {
            let gradient: PackedTensor
            let master: PackedTensor
            let parameter: PackedTensor
        }
    }

    @Test func mastersEqualTorchsBitForBit() throws {
        let answer: Masters = try PythonReference("gradients_reference.py").run("masters")
        let parameter = try answer.start.tensor(.bfloat16, in: library)
        var options = AdamW.Options()
        options.learningRate = 1e-4
        let optimizer = try AdamW(["a": parameter], options: options, keepingMasters: true)
        for (number, step) in answer.steps.enumerated() {
            // Gradients may come in either precision.
            let dtype = number % 2 == 0 ? DType.bfloat16 : .float32
            try optimizer.step(["a": step.gradient.tensor(dtype, in: library)])
            let master = try #require(optimizer.state()["a.master"])
            #expect(try master.elements(as: Double.self) == step.master.values)
            #expect(try parameter.elements(as: Double.self) == step.parameter.values)
        }
        #expect(answer.steps.count == 5)
        // Steps this small are lost in 16 bits; the masters have them.
        #expect(answer.steps[0].parameter.values != answer.steps[0].master.values)
    }

    @Test(arguments: [DType.float32, .bfloat16])
    func goesOnFromItsStateBitForBit(dtype: DType) throws {
        let generator = NoiseGenerator(seed: 4)
        func draw() throws -> [String: Tensor] {
            [
                "a": try generator.normal([7, 3], in: library).converted(to: dtype),
                "b": try generator.normal([], in: library).converted(to: dtype),
            ]
        }
        let start = try draw()
        var gradients = try (0..<6).map { _ in try draw() }
        // A parameter that has missed a step has a count of its own.
        gradients[1]["b"] = nil
        func optimizer(_ parameters: [String: Tensor]) throws -> AdamW {
            try AdamW(parameters, keepingMasters: true)
        }
        let whole = try start.mapValues { try $0.cloned() }
        let uninterrupted = try optimizer(whole)
        for step in gradients { try uninterrupted.step(step) }

        let first = try start.mapValues { try $0.cloned() }
        let before = try optimizer(first)
        for step in gradients[..<3] { try before.step(step) }
        let saved = try before.state().mapValues { try $0.cloned() }
        let second = try first.mapValues { try $0.cloned() }
        // What is done meanwhile is undone.
        try before.step(gradients[5])
        let after = try optimizer(second)
        try after.restore(saved)
        for step in gradients[3...] { try after.step(step) }
        for (name, expected) in whole {
            let found = try #require(second[name]).elements(as: Double.self)
            #expect(try found == expected.elements(as: Double.self))
        }
        let (found, expected) = (try after.state(), try uninterrupted.state())
        #expect(Set(found.keys) == Set(expected.keys))
        #expect(found.keys.contains("a.master") == (dtype == .bfloat16))
        for (name, tensor) in expected {
            #expect(
                try #require(found[name]).elements(as: Double.self)
                    == tensor.elements(as: Double.self), "\(name)")
        }
    }

    @Test func theStateOfAnotherIsRefusedAndChangesNothing() throws {
        let a = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let optimizer = try AdamW(["a": a.cloned()])
        try optimizer.step(["a": a])
        let state = try optimizer.state().mapValues { try $0.cloned() }
        let half = try Tensor([0.5] as [Float], shape: [], in: library)
        for (name, tensor) in [("a.step", half), ("a.step", a), ("a.exp_avg", half), ("b", a)] {
            #expect(throws: TorchError.self) {
                try optimizer.restore(state.merging([name: tensor]) { $1 })
            }
        }
        #expect(throws: TorchError.self) { try optimizer.restore([:]) }
        for (name, tensor) in try optimizer.state() {
            #expect(
                try #require(state[name]).elements(as: Float.self)
                    == tensor.elements(as: Float.self))
        }
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
