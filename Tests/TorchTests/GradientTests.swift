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

    @Test(arguments: [(DType.float64, 1e-12), (.float32, 1e-5)])
    func equalAutograd(dtype: DType, tolerance: Double) throws {
        for (name, compute) in GradientCases.all {
            let answer = try #require(answers[name])
            let inputs = try answer.inputs(dtype, in: library)
            let (_, gradients) = try withGradients(of: inputs) {
                try loss(compute, inputs, answer, dtype)
            }
            let expected = try #require(answer.gradients[dtype.rawValue])
            #expect(Set(gradients.keys) == Set(expected.keys), "\(name)")
            for (input, gradient) in gradients {
                #expect(try gradient.dtype == dtype, "\(input) of \(name)")
                let error = try #require(expected[input]).relativeError(of: gradient)
                #expect(error < tolerance, "\(input) of \(name)")
            }
        }
    }

    @Test func equalDifferences() throws {
        // What is differentiated numerically must not be cut off: `detached` hides a part.
        for (name, compute) in GradientCases.all where name != "detached" {
            let answer = try #require(answers[name])
            let inputs = try answer.inputs(.float64, in: library)
            let (_, gradients) = try withGradients(of: inputs) {
                try loss(compute, inputs, answer, .float64)
            }
            for (input, gradient) in gradients {
                let found = try gradient.elements(as: Double.self)
                let expected = try differences(of: input) { changed in
                    try loss(compute, inputs.merging(changed) { $1 }, answer, .float64)
                        .elements(as: Double.self)[0]
                } around: {
                    try #require(answer.inputs[input])
                }
                let scale = expected.map(\.magnitude).max() ?? 0
                for (found, expected) in zip(found, expected) {
                    #expect(
                        (found - expected).magnitude < 1e-9 * max(scale, 1), "\(input) of \(name)")
                }
            }
        }
    }

    /// For each element the difference of four places around it, of which the error is of fourth order.
    private func differences(
        of input: String, _ loss: ([String: Tensor]) throws -> Double,
        around point: () throws -> PackedTensor
    ) throws -> [Double] {
        let point = try point()
        let step = 1e-4
        return try point.values.indices.map { index in
            func value(_ steps: Double) throws -> Double {
                var values = point.values
                values[index] += steps * step
                return try loss([input: Tensor(values, shape: point.shape, in: library)])
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
