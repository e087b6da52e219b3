import TestSupport
import Testing

@testable import Torch

/// The gradient of every operation against PyTorch's autograd, and against differences.
@Suite struct GradientTests {
    private struct Answer: Decodable {
        let inputs: [String: PackedTensor]
        /// Of each element of the result in the loss.
        let factors: PackedTensor
        /// By dtype, then by input.
        let gradients: [String: [String: PackedTensor]]

        func inputs(_ dtype: DType, in library: LibTorch) throws -> [String: Tensor] {
            try inputs.mapValues { try $0.tensor(dtype, in: library) }
        }
    }

    private static let answers = Result {
        try PythonReference("gradients_reference.py").run(
            "gradients", answer: [String: Answer].self)
    }

    private let library: LibTorch
    private let answers: [String: Answer]

    init() throws {
        library = try LibTorch.shared()
        answers = try Self.answers.get()
    }

    @Test func everyCaseOfTheReferenceIsComputed() {
        #expect(Set(answers.keys) == Set(GradientCases.all.keys))
    }

    @Test(arguments: GradientCases.names, [DType.float64, .float32])
    func equalsAutograd(name: String, dtype: DType) throws {
        let (compute, answer) = try pair(name)
        let inputs = try answer.inputs(dtype, in: library)
        let (_, gradients) = try withGradients(of: inputs) {
            try loss(compute, inputs, answer, dtype)
        }
        let expected = try #require(answer.gradients[dtype.rawValue])
        #expect(Set(gradients.keys) == Set(expected.keys))
        for (input, gradient) in gradients {
            #expect(try gradient.dtype == dtype, "\(input)")
            let error = try #require(expected[input]).relativeError(of: gradient)
            #expect(error < (dtype == .float64 ? 1e-12 : 1e-5), "\(input)")
        }
    }

    // `detached` hides from the gradient a part of what differences see.
    @Test(arguments: GradientCases.names.filter { $0 != "detached" })
    func equalsDifferences(name: String) throws {
        let (compute, answer) = try pair(name)
        let inputs = try answer.inputs(.float64, in: library)
        let (_, gradients) = try withGradients(of: inputs) {
            try loss(compute, inputs, answer, .float64)
        }
        for (input, gradient) in gradients {
            let found = try gradient.elements(as: Double.self)
            let expected = try differences(around: #require(answer.inputs[input])) { changed in
                try loss(compute, inputs.merging([input: changed]) { $1 }, answer, .float64)
                    .elements(as: Double.self)[0]
            }
            let scale = max(expected.map(\.magnitude).max() ?? 0, 1)
            for (found, expected) in zip(found, expected) {
                #expect((found - expected).magnitude < 1e-9 * scale, "\(input)")
            }
        }
    }

    /// As where most of a model is frozen: the others are constants.
    @Test(arguments: GradientCases.names)
    func eachInputAloneHasTheSameGradient(name: String) throws {
        let (compute, answer) = try pair(name)
        let inputs = try answer.inputs(.float64, in: library)
        for (input, tensor) in inputs {
            let (_, gradients) = try withGradients(of: [input: tensor]) {
                try loss(compute, inputs, answer, .float64)
            }
            let expected = try #require(answer.gradients["float64"]?[input])
            let found = try #require(gradients[input])
            #expect(try expected.relativeError(of: found) < 1e-12, "\(input)")
        }
    }

    /// The operators of the way back take 16 bits too; how near they come is theirs.
    @Test(arguments: GradientCases.names, [DType.bfloat16, .float16])
    func sixteenBitsAreNear(name: String, dtype: DType) throws {
        let (compute, answer) = try pair(name)
        let inputs = try answer.inputs(dtype, in: library)
        let (_, gradients) = try withGradients(of: inputs) {
            try loss(compute, inputs, answer, dtype)
        }
        let expected = try #require(answer.gradients["float32"])
        #expect(Set(gradients.keys) == Set(expected.keys))
        for (input, gradient) in gradients {
            #expect(try gradient.dtype == dtype, "\(input)")
            #expect(try #require(expected[input]).relativeError(of: gradient) < 0.1, "\(input)")
        }
    }

    private func pair(_ name: String) throws -> (GradientCases.Computation, Answer) {
        try (#require(GradientCases.all[name]), #require(answers[name]))
    }

    /// For each element the difference of four places around it, of which the error is of fourth order.
    private func differences(
        around point: PackedTensor, _ loss: (Tensor) throws -> Double
    ) throws -> [Double] {
        let step = 1e-4
        return try point.values.indices.map { index in
            func value(_ steps: Double) throws -> Double {
                var values = point.values
                values[index] += steps * step
                return try loss(Tensor(values, shape: point.shape, in: library))
            }
            let (near, far) = try (value(1) - value(-1), value(2) - value(-2))
            return (8 * near - far) / (12 * step)
        }
    }

    private func loss(
        _ compute: GradientCases.Computation, _ inputs: [String: Tensor], _ answer: Answer,
        _ dtype: DType
    ) throws -> Tensor {
        let result = try compute(inputs)
        #expect(result.shape == answer.factors.shape)
        return try (result * answer.factors.tensor(dtype, in: library)).sum()
    }
}
