import TestSupport
import Testing

@testable import Torch

/// Linear layers in every form that this processor has, against libtorch in float64.
@Suite struct LinearTests {
    private let library: LibTorch
    private let noise = NoiseGenerator(seed: 5)

    init() throws {
        library = try LibTorch.shared()
    }

    private func random(_ shape: [Int]) throws -> Tensor {
        try noise.normal(shape, in: library)
    }

    private func machines(threads: Int? = nil) throws -> [KernelMachine] {
        try KernelMachine.Instructions.available.map {
            try KernelMachine(instructions: $0, threads: threads, in: library)
        }
    }

    @Test func equalsLibtorch() throws {
        var generator = SeededGenerator(seed: 2)
        let sizes = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 100]
        for _ in 0..<60 {
            let inputs = (sizes + [255, 257, 600]).randomElement(using: &generator) ?? 1
            let outputs = sizes.randomElement(using: &generator) ?? 1
            let shape = [
                Int.random(in: 1...2, using: &generator), .random(in: 1...70, using: &generator),
                inputs,
            ]
            let isGated = Bool.random(using: &generator)
            let rows = isGated ? 2 * outputs : outputs
            let x = try random(shape)
            let weight = try (1 / Double(inputs).squareRoot()) * random([rows, inputs])
            let bias = try Bool.random(using: &generator) ? random([rows]) : nil
            var linear = KernelLinear(weight: weight, bias: bias)
            linear.isGated = isGated
            var expected = try x.converted(to: .float64).linear(
                weight: weight.converted(to: .float64), bias: bias?.converted(to: .float64))
            if isGated {
                let parts = try expected.split(into: 2, dimension: 2)
                expected = try parts[0] * parts[1].gelu()
            }
            if Bool.random(using: &generator) {
                let residual = try random(expected.shape)
                linear.residual = residual
                expected = try expected + residual.converted(to: .float64)
            }
            for machine in try machines() {
                let result = try linear(x, on: machine)
                #expect(result.shape == expected.shape)
                let error = try GroupNormTests.difference(result, expected)
                // Gates multiply, so that errors grow with the results.
                let largest = try expected.elements(as: Double.self).map(\.magnitude).max() ?? 0
                #expect(error < 2e-6 * max(largest, 1), "\(shape) to \(outputs), gated: \(isGated)")
            }
        }
    }

    /// Sizes at which rows and inputs are divided: to outputs, whether it is gated.
    @Test(
        arguments: [
            (40, 1300, 70, false), (40, 2600, 33, true), (800, 300, 70, false),
            (770, 1290, 40, true), (3, 5200, 130, false),
        ])
    func equalsLibtorchWhereWorkIsDivided(
        rows: Int, inputs: Int, outputs: Int, isGated: Bool
    ) throws {
        let x = try random([1, rows, inputs])
        let weight =
            try (1 / Double(inputs).squareRoot())
            * random([isGated ? 2 * outputs : outputs, inputs])
        var linear = KernelLinear(weight: weight, bias: nil)
        linear.isGated = isGated
        let residual = try random([1, rows, outputs])
        linear.residual = residual
        var expected = try x.converted(to: .float64).linear(
            weight: weight.converted(to: .float64), bias: nil)
        if isGated {
            let parts = try expected.split(into: 2, dimension: 2)
            expected = try parts[0] * parts[1].gelu()
        }
        expected = try expected + residual.converted(to: .float64)
        let largest = try expected.elements(as: Double.self).map(\.magnitude).max() ?? 0
        for threads in [1, 3] {
            for machine in try machines(threads: threads) {
                let error = try GroupNormTests.difference(linear(x, on: machine), expected)
                #expect(error < 2e-6 * max(largest, 1))
            }
        }
    }

    @Test func doesNotDependOnTheNumberOfThreads() throws {
        let x = try random([2, 150, 300])
        let linear = KernelLinear(weight: try random([70, 300]), bias: nil)
        for instructions in KernelMachine.Instructions.available {
            let results = try [1, 2, 5].map { threads in
                let machine = try KernelMachine(
                    instructions: instructions, threads: threads, in: library)
                return try linear(x, on: machine).elements(as: Float.self)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "\(instructions)")
        }
    }

    /// The gate x Φ(x) over all magnitudes, by a layer that passes its input on.
    @Test func gateIsExact() throws {
        let points = stride(from: Float(-12), through: 12, by: 1 / 64).map { $0 }
        let x = try Tensor(points, shape: [1, points.count, 1], in: library)
        var linear = KernelLinear(
            weight: try Tensor([0, 1] as [Float], shape: [2, 1], in: library),
            bias: try Tensor([1, 0] as [Float], shape: [2], in: library))
        linear.isGated = true
        let expected = try x.converted(to: .float64).gelu()
        for machine in try machines() {
            #expect(try GroupNormTests.difference(linear(x, on: machine), expected) < 5e-7)
        }
    }

    @Test func whatIsNotFiniteStaysVisible() throws {
        var elements = [Float](repeating: 1, count: 40)
        elements[13] = .nan
        elements[25] = .infinity
        let x = try Tensor(elements, shape: [1, 4, 10], in: library)
        for isGated in [false, true] {
            var linear = KernelLinear(weight: try random([20, 10]), bias: nil)
            linear.isGated = isGated
            for machine in try machines() {
                let result = try linear(x, on: machine).elements(as: Float.self)
                let width = result.count / 4
                #expect(result[width..<(2 * width)].allSatisfy { $0.isNaN })
                #expect(result.prefix(width).allSatisfy { $0.isFinite })
                // The gate may close on minus infinity, as x Φ(x) does in the limit.
                if !isGated {
                    #expect(result[(2 * width)..<(3 * width)].allSatisfy { !$0.isFinite })
                }
            }
        }
    }

    @Test func refusesShapesThatDoNotFit() throws {
        let machine = try KernelMachine(instructions: .baseline, in: library)
        let linear = KernelLinear(weight: try random([3, 4]), bias: nil)
        #expect(throws: TorchError.self) { try linear(random([1, 2, 5]), on: machine) }
        var gated = linear
        gated.isGated = true
        #expect(throws: TorchError.self) { try gated(random([1, 2, 4]), on: machine) }
        var residual = linear
        residual.residual = try random([1, 2, 4])
        #expect(throws: TorchError.self) { try residual(random([1, 2, 4]), on: machine) }
    }
}
