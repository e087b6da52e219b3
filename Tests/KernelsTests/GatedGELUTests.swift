import Testing

@testable import Torch

/// The gated linear unit on the way to a loss, against libtorch's operators in float64.
@Suite struct GatedGELUTests {
    private let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    @Test(arguments: [[1, 2], [7, 30], [2, 3, 64], [2, 1000, 2, 34]])
    func equalsLibtorch(shape: [Int]) throws {
        // Far out as well, where nothing may overflow.
        let x = try 6 * NoiseGenerator(seed: 3).normal(shape, in: library)
        let y = try NoiseGenerator(seed: 4).normal(
            shape.dropLast() + [shape[shape.count - 1] / 2], in: library)
        func lossAndGradient(_ dtype: DType) throws -> (Double, [Double]) {
            let x = try x.converted(to: dtype)
            let (loss, gradients) = try withGradients(of: [x]) {
                try (x.gatedGELU() * y.converted(to: dtype)).sum()
            }
            return (
                try loss.elements(as: Double.self)[0],
                try #require(gradients[0]).elements(as: Double.self)
            )
        }
        let (loss, gradient) = try lossAndGradient(.float32)
        let (expectedLoss, expected) = try lossAndGradient(.float64)
        #expect((loss - expectedLoss).magnitude < 1e-5 * expectedLoss.magnitude + 1e-5)
        let largest = expected.map(\.magnitude).max() ?? 0
        for (a, b) in zip(gradient, expected) { #expect((a - b).magnitude < 1e-6 * largest) }
    }

    @Test func farOutItStaysFinite() throws {
        let values: [Float] = [1, 1, 1, 1, 1, 1, -1e4, -50, -13, 13, 50, 1e4]
        let x = try Tensor(values, shape: [1, 12], in: library)
        let (_, gradients) = try withGradients(of: [x]) { try x.gatedGELU().sum() }
        let gradient = try #require(gradients[0]).elements(as: Float.self)
        #expect(gradient[6...].map { $0.rounded() } == [0, 0, 0, 1, 1, 1])
        #expect(gradient[..<6].map { $0.rounded() } == [0, 0, 0, 13, 50, 1e4])
    }

    @Test func anOddNumberIsRefused() throws {
        let x = try Tensor([1, 2, 3] as [Float], shape: [1, 3], in: library)
        #expect(throws: TorchError.self) { try withGradients(of: [x]) { try x.gatedGELU().sum() } }
    }
}
