import TestSupport
import Testing
import Torch

@Suite struct GradientAccumulationTests {
    private let library: LibTorch
    private let x: Tensor
    private let y: Tensor
    private let parameters: [String: Tensor]

    init() throws {
        library = try LibTorch.shared()
        let generator = NoiseGenerator(seed: 5)
        x = try generator.normal([12, 6], in: library)
        y = try generator.normal([12, 3], in: library)
        parameters = [
            "weight": try generator.normal([3, 6], in: library),
            "bias": try generator.normal([3], in: library),
        ]
    }

    private func gradients(of pictures: Range<Int>) throws -> [String: Tensor] {
        func part(_ tensor: Tensor) throws -> Tensor {
            try tensor.narrowed(dimension: 0, start: pictures.lowerBound, length: pictures.count)
        }
        return try withGradients(of: parameters) {
            try part(x).linear(weight: #require(parameters["weight"]), bias: parameters["bias"])
                .silu().meanSquaredError(to: part(y))
        }.gradients
    }

    @Test(arguments: [[0..<12], [0..<6, 6..<12], [0..<4, 4..<8, 8..<12], [0..<1, 1..<5, 5..<12]])
    func isTheGradientOfTheWholeBatch(parts: [Range<Int>]) throws {
        let accumulation = GradientAccumulation()
        let whole = try gradients(of: 0..<12)
        // Twice: the second time begins anew.
        for _ in 0..<2 {
            for part in parts {
                try accumulation.add(gradients(of: part), weight: Double(part.count))
            }
            let found = accumulation.take()
            #expect(Set(found.keys) == ["weight", "bias"])
            for (name, gradient) in found {
                let expected = try #require(whole[name]).elements(as: Double.self)
                let largest = try #require(expected.map(\.magnitude).max())
                for (a, b) in zip(try gradient.elements(as: Double.self), expected) {
                    #expect((a - b).magnitude < 1e-6 * largest)
                }
            }
        }
        #expect(accumulation.take().isEmpty)
    }

    @Test func aMissingGradientCountsAsZero() throws {
        let one = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let accumulation = GradientAccumulation()
        try accumulation.add(["a": one])
        try accumulation.add(["b": one])
        let found = accumulation.take()
        #expect(try #require(found["a"]).elements(as: Float.self) == [0.5, 1])
        #expect(try #require(found["b"]).elements(as: Float.self) == [0.5, 1])
        #expect(try one.elements(as: Float.self) == [1, 2])
    }

    @Test func sumsOf16BitsAreKeptInFloat32() throws {
        let accumulation = GradientAccumulation()
        let small = try Tensor([1.0 / 256] as [Float], shape: [1], in: library)
        try accumulation.add([
            "a": Tensor([1] as [Float], shape: [1], in: library)
                .converted(to: .bfloat16)
        ])
        try accumulation.add(["a": small.converted(to: .bfloat16)])
        let found = try #require(accumulation.take()["a"])
        #expect(try found.dtype == .float32)
        #expect(try found.elements(as: Float.self) == [Float(257) / 512])
    }

    @Test func whatDoesNotFitIsRefusedAndChangesNothing() throws {
        let one = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let accumulation = GradientAccumulation()
        try accumulation.add(["a": one])
        #expect(throws: TorchError.self) { try accumulation.add(["a": one.reshaped([1, 2])]) }
        #expect(throws: TorchError.self) { try accumulation.add(["a": one], weight: 0) }
        #expect(throws: TorchError.self) { try accumulation.add(["a": one], weight: .nan) }
        #expect(try #require(accumulation.take()["a"]).elements(as: Float.self) == [1, 2])
    }
}
