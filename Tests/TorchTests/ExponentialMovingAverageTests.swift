import TestSupport
import Testing

@testable import Torch

/// The running average against diffusers' `EMAModel`.
@Suite struct ExponentialMovingAverageTests {
    private struct Answer: Decodable {
        let start: [String: PackedTensor]
        let runs: [Run]

        struct Run: Decodable {
            let options: Options
            let steps: [Step]
        }

        struct Options: Decodable {
            let decay: Double?
            let min_decay: Double?
            let update_after_step: Int?
            let use_ema_warmup: Bool?
            let inv_gamma: Double?
            let power: Double?
        }

        struct Step: Decodable {
            let parameters: [String: PackedTensor]
            let averages: [String: PackedTensor]
            let decay: Double
        }
    }

    private let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    @Test func equalsDiffusers() throws {
        let answer: Answer = try PythonReference("gradients_reference.py").run("averages")
        #expect(answer.runs.count == 4)
        for run in answer.runs {
            var options = ExponentialMovingAverage.Options()
            run.options.decay.map { options.decay = $0 }
            run.options.min_decay.map { options.minimumDecay = $0 }
            run.options.update_after_step.map { options.updateAfterStep = $0 }
            run.options.use_ema_warmup.map { options.usesWarmup = $0 }
            run.options.inv_gamma.map { options.inverseGamma = $0 }
            run.options.power.map { options.power = $0 }
            let average = try ExponentialMovingAverage(
                of: answer.start.mapValues { try $0.tensor(in: library) }, options: options)
            for (number, step) in run.steps.enumerated() {
                #expect((average.decay(after: number) - step.decay).magnitude < 1e-15)
                try average.update(step.parameters.mapValues { try $0.tensor(in: library) })
                #expect(Set(average.tensors.keys) == Set(step.averages.keys))
                for (name, expected) in step.averages {
                    let found = try #require(average.tensors[name])
                    #expect(try expected.relativeError(of: found) < 1e-6)
                }
            }
        }
    }

    @Test func goesOnFromItsStateBitForBit() throws {
        let generator = NoiseGenerator(seed: 3)
        let parameters = try (0..<6).map { _ in ["a": try generator.normal([50], in: library)] }
        let whole = try ExponentialMovingAverage(of: parameters[0])
        for step in parameters[1...] { try whole.update(step) }

        let first = try ExponentialMovingAverage(of: parameters[0])
        for step in parameters[1...3] { try first.update(step) }
        let second = try ExponentialMovingAverage(of: parameters[5])
        try second.restore(first.state())
        #expect(second.steps == 3)
        for step in parameters[4...] { try second.update(step) }
        let expected = try #require(whole.tensors["a"]).elements(as: Float.self)
        #expect(try #require(second.tensors["a"]).elements(as: Float.self) == expected)
    }

    @Test func parametersOf16BitsAreAveragedInFloat32() throws {
        let one = try Tensor([1, 1] as [Float], shape: [2], in: library).converted(to: .bfloat16)
        let two = try (2 * one).converted(to: .bfloat16)
        var options = ExponentialMovingAverage.Options()
        (options.decay, options.minimumDecay) = (0.9999, 0.9999)
        let average = try ExponentialMovingAverage(of: ["a": one], options: options)
        try average.update(["a": one])
        try average.update(["a": two])
        let found = try #require(average.tensors["a"])
        #expect(try found.dtype == .float32)
        #expect(try found.elements(as: Float.self) == [1.0001, 1.0001])
        try average.copy(to: ["a": two])
        #expect(try two.elements(as: Float.self) == [1, 1])
    }

    @Test func whatDoesNotFitIsRefusedAndChangesNothing() throws {
        let a = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let average = try ExponentialMovingAverage(of: ["a": a])
        let state = try average.state()
        for other in [[:], ["b": a], ["a": try a.reshaped([1, 2])], ["a": a, "b": a]] {
            #expect(throws: TorchError.self) { try average.update(other) }
            #expect(throws: TorchError.self) { try average.copy(to: other) }
            #expect(throws: TorchError.self) { try average.restore(other) }
        }
        #expect(throws: TorchError.self) {
            try average.restore(["a": a, "optimization_step": a])
        }
        average.options.decay = 1.5
        #expect(throws: TorchError.self) { try average.update(["a": a]) }
        #expect(average.steps == 0)
        try average.restore(state)
        #expect(throws: TorchError.self) {
            try ExponentialMovingAverage(
                of: ["a": Tensor([1] as [Int64], shape: [1], in: library)])
        }
    }
}
