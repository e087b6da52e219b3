import Testing

@testable import Torch

/// Group normalisation of maps stored channels last, against libtorch in float64.
@Suite struct GroupNormTests {
    private let library: LibTorch
    private let noise = NoiseGenerator(seed: 3)

    init() throws {
        library = try LibTorch.shared()
    }

    private func random(_ shape: [Int]) throws -> Tensor {
        try noise.normal(shape, in: library)
    }

    /// Shape, groups, and what is added to every element.
    @Test(
        arguments: [
            ([2, 32, 5, 7], 8, 0.0), ([1, 6, 9, 9], 3, 5), ([2, 130, 17, 13], 5, 0),
            ([1, 64, 40, 40], 32, 0), ([1, 2, 1, 1], 1, 0), ([3, 72, 3, 3], 4, 100),
            ([1, 5, 70, 2], 1, -3),
        ])
    func equalsLibtorch(shape: [Int], groups: Int, offset: Double) throws {
        let x = try random(shape) + offset
        let (weight, bias) = try (random([shape[1]]), random([shape[1]]))
        let norm = KernelGroupNorm(groups: groups, weight: weight, bias: bias, epsilon: 1e-6)
        let expected = try x.converted(to: .float64).groupNorm(
            groups: groups, weight: weight.converted(to: .float64),
            bias: bias.converted(to: .float64), epsilon: 1e-6)
        // Where a mean is far from zero, the elements' own rounding is all that is lost.
        let bound = 4e-6 * max(1, offset.magnitude)
        for instructions in KernelMachine.Instructions.available {
            let machine = try KernelMachine(instructions: instructions, in: library)
            let plain = try norm(x, on: machine)
            let activated = try norm(x, activates: true, on: machine)
            #expect(try plain.isChannelsLast)
            #expect(try Self.difference(plain, expected) < bound, "\(instructions)")
            #expect(try Self.difference(activated, expected.silu()) < bound, "\(instructions)")
        }
    }

    @Test func doesNotDependOnTheNumberOfThreads() throws {
        let x = try random([1, 20, 60, 60])
        let norm = try KernelGroupNorm(
            groups: 4, weight: random([20]), bias: random([20]), epsilon: 1e-6)
        let results = try [1, 2, 3].map { threads in
            let machine = try KernelMachine(
                instructions: .baseline, threads: threads, in: library)
            return try norm(x, on: machine).elements(as: Float.self)
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    /// As in libtorch, a group with a NaN or an infinity is one all through, and only that group.
    @Test(arguments: [Float.nan, .infinity])
    func whatIsNotFiniteStaysVisible(value: Float) throws {
        var elements = [Float](repeating: 1, count: 4 * 9)
        elements[7] = value
        let x = try Tensor(elements, shape: [1, 4, 3, 3], in: library)
        let one = try Tensor([1, 1, 1, 1] as [Float], shape: [4], in: library)
        let norm = KernelGroupNorm(groups: 2, weight: one, bias: one, epsilon: 1e-6)
        for instructions in KernelMachine.Instructions.available {
            let machine = try KernelMachine(instructions: instructions, in: library)
            let result = try norm(x, on: machine).elements(as: Float.self)
            #expect(result.prefix(18).allSatisfy { !$0.isFinite })
            #expect(result.suffix(18).allSatisfy { $0 == 1 })
        }
    }

    static func difference(_ a: Tensor, _ b: Tensor) throws -> Double {
        zip(try a.elements(as: Double.self), try b.elements(as: Double.self)).reduce(0) {
            max($0, ($1.0 - $1.1).magnitude.isNaN ? .infinity : ($1.0 - $1.1).magnitude)
        }
    }
}
