import TestSupport
import Testing

@testable import Torch

/// Every operation against PyTorch's own on the same numbers.
@Suite struct OperationTests {
    private struct Answers: Decodable {
        let inputs: [String: PackedTensor]
        let outputs: [String: PackedTensor]
    }

    @Test func equalPyTorch() throws {
        let library = try LibTorch.shared()
        let answers = try PythonReference("reference.py").run("operations", answer: Answers.self)
        func input(_ name: String) throws -> Tensor {
            try #require(answers.inputs[name]).tensor(in: library)
        }
        let (x, y) = try (input("x"), input("y"))
        let results: [String: Tensor] = [
            "add": try x + y,
            "subtract": try x - y,
            "multiply": try x * y,
            "divide": try x / y,
            "plus": try x + 0.3,
            "times": try 0.18215 * x,
            "over": try x / 3,
            "exp": try x.exponential(),
            "clamp": try x.clamped(to: -0.5...1),
            "round": try (4 * x).rounded(),
            "conv": try x.conv2d(weight: input("weight"), bias: input("bias"), padding: 1),
            "strided": try x.conv2d(weight: input("weight"), bias: nil, stride: 2),
            "linear": try x.linear(weight: input("matrix"), bias: input("row")),
            "norm": try x.groupNorm(
                groups: 4, weight: input("scale"), bias: input("shift"), epsilon: 1e-6),
            "silu": try x.silu(),
            "attention": try input("query").scaledDotProductAttention(
                key: input("key"), value: input("value")),
            "upsample": try x.upsampledNearest(height: 12, width: 8),
            "pad": try x.zeroPadded(left: 0, right: 1, top: 0, bottom: 1),
            "permute": try x.permuted([0, 2, 3, 1]),
            "transpose": try x.transposed(-1, 1),
            "half": try x.converted(to: .float16),
            "bfloat": try x.converted(to: .bfloat16),
        ]
        #expect(Set(results.keys) == Set(answers.outputs.keys))
        for (name, expected) in answers.outputs {
            let result = try #require(results[name])
            #expect(result.shape == expected.shape, "\(name)")
            // The same library on the same machine: not close but equal.
            #expect(try result.elements(as: Double.self) == expected.values, "\(name)")
        }
    }

    @Test func isFiniteSeesInfinityAndNaN() throws {
        let library = try LibTorch.shared()
        #expect(try Tensor([1, -2] as [Float], shape: [2], in: library).isFinite())
        #expect(try !Tensor([1, .infinity] as [Float], shape: [2], in: library).isFinite())
        #expect(try !Tensor([.nan, 0] as [Float], shape: [2], in: library).isFinite())
    }
}
