import Foundation
import TestSupport
import Testing

@testable import Torch

/// Seeded noise against `torch.randn` after `torch.manual_seed`.
@Suite struct NoiseGeneratorTests {
    /// Counts below and above 16, multiples of 16 and others; several draws after one seed.
    private static let shapes = [
        [[1, 4, 1, 1]], [[3], [3], [20], [5]], [[1, 4, 8, 8], [1, 4, 8, 8]], [[1, 4, 5, 7], [17]],
        [[16], [4], [33]], [[1, 4, 64, 64]],
    ]
    /// -1 as torch takes it: the low 32 bits count.
    private static let seeds: [Int64] = [0, 42, (1 << 32) + 1, -1]

    @Test func equalsTorchAfterManualSeed() throws {
        try compare("noise", tolerance: 1e-6) { try $0.normal($1, in: $2) }
    }

    @Test func uniformNumbersAreTorchsToTheBit() throws {
        try compare("fractions", tolerance: .leastNonzeroMagnitude) {
            try $0.uniform($1, in: $2)
        }
    }

    private func compare(
        _ command: String, tolerance: Double,
        _ draw: (NoiseGenerator, [Int], LibTorch) throws -> Tensor
    ) throws {
        let library = try LibTorch.shared()
        let requests = Self.seeds.flatMap { seed in
            Self.shapes.map { "[\(seed), \($0)]" }
        }
        let expected = try PythonReference("reference.py").run(
            command, "[\(requests.joined(separator: ","))]", answer: [[PackedTensor]].self)
        let cases = Self.seeds.flatMap { seed in Self.shapes.map { (seed, $0) } }
        #expect(expected.count == cases.count)
        for ((seed, shapes), draws) in zip(cases, expected) {
            let generator = NoiseGenerator(seed: UInt64(bitPattern: seed))
            for (shape, expected) in zip(shapes, draws) {
                let noise = try draw(generator, shape, library)
                #expect(noise.shape == shape)
                let error = try expected.relativeError(of: noise)
                #expect(error < tolerance, "seed \(seed), shape \(shape)")
            }
        }
    }

    @Test func equalSeedsGiveEqualBits() throws {
        let library = try LibTorch.shared()
        let first = try NoiseGenerator(seed: 7).normal([1, 4, 9, 9], in: library)
        let second = try NoiseGenerator(seed: 7).normal([1, 4, 9, 9], in: library)
        #expect(try first.elements(as: Float.self) == second.elements(as: Float.self))
    }

    @Test func withoutSeedTheProcessGeneratorGoesOn() throws {
        let library = try LibTorch.shared()
        let generator = NoiseGenerator(seed: nil)
        let first: [Float] = try generator.normal([64], in: library).elements()
        let second: [Float] = try generator.normal([64], in: library).elements()
        #expect(first != second)
    }
}
