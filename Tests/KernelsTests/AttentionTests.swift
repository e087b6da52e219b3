import TestSupport
import Testing

@testable import Torch

/// Attention in every form that this processor has, against libtorch in float64.
@Suite struct AttentionTests {
    private let library: LibTorch
    private let noise = NoiseGenerator(seed: 6)

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

    /// By libtorch, in float64 or another type, on tensors divided among heads.
    private func reference(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, heads: Int, dtype: DType = .float64
    ) throws -> Tensor {
        let parts = try [query, key, value].map { x in
            try x.converted(to: dtype)
                .reshaped([x.shape[0], x.shape[1], heads, x.shape[2] / heads]).transposed(1, 2)
        }
        return try parts[0].scaledDotProductAttention(key: parts[1], value: parts[2])
            .transposed(1, 2).reshaped(query.shape)
    }

    @Test func equalsLibtorch() throws {
        var generator = SeededGenerator(seed: 3)
        let lengths = [1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 69, 70, 71, 77, 128, 150]
        for _ in 0..<40 {
            let batch = Int.random(in: 1...2, using: &generator)
            let heads = Int.random(in: 1...3, using: &generator)
            let sizes = [1, 2, 3, 5, 8, 13, 16, 40, 41, 64, 80]
            let size = sizes.randomElement(using: &generator) ?? 1
            let queries = lengths.randomElement(using: &generator) ?? 1
            let keys = lengths.randomElement(using: &generator) ?? 1
            // Up to scores of which one outweighs all others.
            let spread: Double = [0.1, 1, 5].randomElement(using: &generator) ?? 1
            let query = try spread * random([batch, queries, heads * size])
            let key = try random([batch, keys, heads * size])
            let value = try random([batch, keys, heads * size])
            let expected = try reference(query, key, value, heads: heads)
            let theirs = try GroupNormTests.difference(
                reference(query, key, value, heads: heads, dtype: .float32), expected)
            for machine in try machines() {
                let result = try KernelAttention(heads: heads)(
                    query, key: key, value: value, on: machine)
                #expect(result.shape == expected.shape)
                let error = try GroupNormTests.difference(result, expected)
                // The larger the scores, the fewer digits are left of their differences.
                #expect(
                    error < max(2 * theirs, 1e-6 * max(spread, 1)),
                    "\(batch)x\(queries) to \(keys), \(heads)x\(size), libtorch \(theirs)")
            }
        }
    }

    /// Over many elements, errors are those of libtorch in the same precision, or smaller.
    @Test(arguments: [40, 80, 160]) func isAsExactAsLibtorch(size: Int) throws {
        let query = try random([1, 100, 2 * size])
        let (key, value) = try (random([1, 500, 2 * size]), random([1, 500, 2 * size]))
        let expected = try reference(query, key, value, heads: 2).elements(as: Double.self)
        func squaredError(_ x: Tensor) throws -> Double {
            zip(try x.elements(as: Float.self), expected)
                .reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
        }
        let theirs = try squaredError(
            reference(query, key, value, heads: 2, dtype: .float32))
        for machine in try machines() {
            let ours = try squaredError(
                KernelAttention(heads: 2)(query, key: key, value: value, on: machine))
            #expect(ours <= theirs, "\(machine.instructions)")
        }
    }

    @Test func doesNotDependOnTheNumberOfThreads() throws {
        let x = try (0..<3).map { _ in try random([2, 150, 48]) }
        for instructions in KernelMachine.Instructions.available {
            let results = try [1, 2, 5].map { threads in
                let machine = try KernelMachine(
                    instructions: instructions, threads: threads, in: library)
                return try KernelAttention(heads: 4)(x[0], key: x[1], value: x[2], on: machine)
                    .elements(as: Float.self)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "\(instructions)")
        }
    }

    /// Scores far beyond what e^x can hold, of either sign and rising from block to block.
    @Test func largeScoresDoNotOverflow() throws {
        let keys = (0..<200).map { Float($0) - 100 }
        let query = try Tensor([100, -100] as [Float], shape: [1, 2, 1], in: library)
        let key = try Tensor(keys, shape: [1, 200, 1], in: library)
        let expected: [Float] = [99, -100]
        for machine in try machines() {
            let result = try KernelAttention(heads: 1)(query, key: key, value: key, on: machine)
            #expect(try result.elements(as: Float.self) == expected)
        }
    }

    @Test func whatIsNotFiniteStaysVisible() throws {
        let (queries, keys, size) = (40, 150, 8)
        for place in [3, 149] {
            for bad in [Float.nan, .infinity] {
                var elements = try random([1, keys, size]).elements(as: Float.self)
                elements[place * size + 5] = bad
                let damaged = try Tensor(elements, shape: [1, keys, size], in: library)
                let sound = try random([1, keys, size])
                var query = [Float](repeating: 1, count: queries * size)
                query[7 * size + 2] = bad
                let damagedQuery = try Tensor(query, shape: [1, queries, size], in: library)
                let soundQuery = try Tensor(
                    [Float](repeating: 1, count: queries * size), shape: [1, queries, size],
                    in: library)
                for machine in try machines() {
                    let attention = KernelAttention(heads: 1)
                    let ofKey = try attention(
                        soundQuery, key: damaged, value: sound, on: machine)
                    #expect(try ofKey.elements(as: Float.self).allSatisfy { $0.isNaN })
                    let ofValue = try attention(
                        soundQuery, key: sound, value: damaged, on: machine
                    ).elements(as: Float.self)
                    #expect(
                        ofValue.indices.allSatisfy { ofValue[$0].isFinite == ($0 % size != 5) })
                    let ofQuery = try attention(
                        damagedQuery, key: sound, value: sound, on: machine
                    ).elements(as: Float.self)
                    #expect(
                        ofQuery.indices.allSatisfy { ofQuery[$0].isNaN == ($0 / size == 7) })
                }
            }
        }
    }

    @Test func refusesShapesThatDoNotFit() throws {
        let machine = try KernelMachine(instructions: .baseline, in: library)
        let x = try random([1, 3, 6])
        let (other, narrow) = try (random([1, 4, 6]), random([1, 3, 4]))
        let pair = try random([2, 3, 6])
        let attention = KernelAttention(heads: 2)
        #expect(throws: TorchError.self) { try attention(x, key: x, value: other, on: machine) }
        #expect(throws: TorchError.self) {
            try attention(x, key: narrow, value: narrow, on: machine)
        }
        #expect(throws: TorchError.self) { try attention(x, key: pair, value: pair, on: machine) }
        #expect(throws: TorchError.self) {
            try KernelAttention(heads: 4)(x, key: x, value: x, on: machine)
        }
    }
}
