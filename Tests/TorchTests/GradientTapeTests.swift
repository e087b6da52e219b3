import Testing

@testable import Torch

/// What is recorded, how long it is kept, and what is refused.
@Suite struct GradientTapeTests {
    private let library: LibTorch
    private let x: Tensor

    init() throws {
        library = try LibTorch.shared()
        x = try Tensor([1, -2, 3] as [Float], shape: [3], in: library)
    }

    private func numbers(_ tensor: Tensor?) throws -> [Float] {
        try #require(tensor).elements(as: Float.self)
    }

    // MARK: - What is recorded

    @Test func nothingIsRecordedOutside() throws {
        #expect(try (x * x).trace == nil)
        let (_, gradients) = try withGradients(of: ["x": x]) {
            #expect(try x.silu().isRecorded)
            return try (x * x).sum()
        }
        #expect(try numbers(gradients["x"]) == [2, -4, 6])
        #expect(x.trace == nil)
        #expect(try (x * x).trace == nil)
        #expect(try #require(gradients["x"]).trace == nil)
    }

    @Test func constantsAreNotRecorded() throws {
        let constant = try x.cloned()
        _ = try withGradients(of: [x]) {
            #expect(try constant.silu().trace == nil)
            #expect(try (x.detached() + constant).trace == nil)
            #expect(try (x + constant).isRecorded)
            return try x.sum()
        }
    }

    @Test func anErrorEndsTheRecording() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try withGradients(of: [x]) {
                _ = try x * x
                throw Stop()
            }
        }
        #expect(x.trace == nil)
        #expect(throws: TorchError.self) { try withGradients(of: [x]) { try x.reshaped([2]) } }
    }

    @Test func resultsOfAnEndedRecordAreConstants() throws {
        var kept: Tensor?
        _ = try withGradients(of: [x]) {
            kept = try x * x
            return try x.sum()
        }
        let square = try #require(kept)
        #expect(!square.isRecorded)
        let (_, gradients) = try withGradients(of: [x]) { try (x * square).sum() }
        #expect(try numbers(gradients[0]) == [1, 4, 9])
    }

    @Test func whatTheLossDoesNotDependOnHasNoGradient() throws {
        let other = try x.cloned()
        let (_, gradients) = try withGradients(of: ["x": x, "other": other]) {
            _ = try (other * x).silu()
            return try (2 * x).sum()
        }
        #expect(gradients.count == 1)
        #expect(try numbers(gradients["x"]) == [2, 2, 2])
        let (_, listed) = try withGradients(of: [other, x]) { try x.sum() }
        #expect(listed[0] == nil)
        #expect(try numbers(listed[1]) == [1, 1, 1])
    }

    @Test func oneTensorUnderTwoNamesHasOneGradient() throws {
        let (_, gradients) = try withGradients(of: ["a": x, "b": x]) { try (x * x).sum() }
        #expect(try numbers(gradients["a"]) == [2, -4, 6])
        #expect(try numbers(gradients["b"]) == [2, -4, 6])
    }

    @Test func theLossMayBeAParameter() throws {
        let number = try Tensor([3] as [Float], shape: [1], in: library)
        let (loss, gradients) = try withGradients(of: [number, x]) { number }
        #expect(try numbers(loss) == [3])
        #expect(try numbers(gradients[0]) == [1])
        #expect(gradients[1] == nil)
    }

    @Test func viewsOfOneMemoryAreFollowed() throws {
        // The parameter is a view, and two overlapping views of it meet.
        let memory = try Tensor((1...6).map(Float.init), shape: [3, 2], in: library)
        let column = try memory.transposed(0, 1).narrowed(dimension: 0, start: 1, length: 1)
        let (loss, gradients) = try withGradients(of: [column]) {
            let first = try column.narrowed(dimension: 1, start: 0, length: 2)
            let second = try column.narrowed(dimension: 1, start: 1, length: 2)
            return try (first * second.contiguous()).sum()
        }
        #expect(try numbers(loss) == [2 * 4 + 4 * 6])
        #expect(try numbers(gradients[0]) == [4, 2 + 6, 4])
        #expect(gradients[0]?.shape == [1, 3])
    }

    @Test func gradientsHaveTheDTypeOfTheirParameter() throws {
        let wide = try Tensor([0.5, 0.25, 2] as [Double], shape: [3], in: library)
        let (loss, gradients) = try withGradients(of: [x, wide]) {
            try (x.converted(to: .bfloat16).converted(to: .float64) * wide).sum()
        }
        #expect(try loss.dtype == .float64)
        #expect(try #require(gradients[0]).dtype == .float32)
        #expect(try numbers(gradients[0]) == [0.5, 0.25, 2])
        #expect(try #require(gradients[1]).dtype == .float64)
        let (_, mixed) = try withGradients(of: [x]) { try (x * wide).sum() }
        #expect(try #require(mixed[0]).dtype == .float32)
    }

    @Test func normalizedVectorsHaveGradientsAcrossThem() throws {
        // A vector's length does not change what it is normalised to.
        let vectors = try Tensor([3, 4, 0, 1] as [Float], shape: [2, 2], in: library)
        let factors = try Tensor([1, 0, 1, 0] as [Float], shape: [2, 2], in: library)
        let (_, gradients) = try withGradients(of: [vectors]) {
            try (vectors.normalized() * factors).sum()
        }
        for (found, expected) in zip(try numbers(gradients[0]), [0.128, -0.096, 1, 0] as [Float]) {
            #expect((found - expected).magnitude < 1e-6)
        }
    }

    @Test(arguments: [false, true])
    func bothWaysThroughAttentionAgree(isCausal: Bool) throws {
        // Longer than the blocks in which FlashAttention goes through the places.
        let shape = [1, 2, 600, 8]
        let noise = NoiseGenerator(seed: 1)
        let parts = try (0..<4).map { _ in
            try noise.normal(shape, in: library).converted(to: .float64)
        }
        let (q, k, v) = (parts[0], parts[1], parts[2])
        #expect(try q.hasFlashAttention(k, v, isCausal: isCausal))
        // The same numbers where FlashAttention does not take them.
        let strided = try q.transposed(2, 3).contiguous().transposed(2, 3)
        #expect(try !strided.hasFlashAttention(k, v, isCausal: isCausal))
        func gradients(_ q: Tensor) throws -> [Tensor?] {
            try withGradients(of: [q, k, v]) {
                try (q.scaledDotProductAttention(key: k, value: v, isCausal: isCausal) * parts[3])
                    .sum()
            }.gradients
        }
        for (flash, plain) in zip(try gradients(q), try gradients(strided)) {
            let difference = try #require(flash) - #require(plain)
            let largest = try difference.elements(as: Double.self).map(\.magnitude).max()
            #expect(try #require(largest) < 1e-12)
        }
    }

    // MARK: - How long it is kept

    @Test func longComputationsDoNotExhaustTheStack() throws {
        let (_, gradients) = try withGradients(of: [x]) {
            var sum = x
            for _ in 0..<30_000 { sum = try sum + x }
            return try sum.sum()
        }
        #expect(try numbers(gradients[0]) == [30_001, 30_001, 30_001])
    }

    @Test func onlyWhatTheWayBackNeedsIsKept() throws {
        let constant = try x.cloned()
        try withExtendedLifetime(constant) {
            _ = try withGradients(of: [x]) {
                weak var sum: Tensor?
                weak var product: Tensor?
                let result = try {
                    let first = try x + constant
                    let second = try first * constant
                    (sum, product) = (first, second)
                    return try second.silu()
                }()
                // A factor beside a constant is not needed, but what SiLU was applied to is.
                #expect(sum == nil)
                #expect(product != nil)
                return try result.sum()
            }
        }
    }

    @Test func whatWasKeptIsFreedOnTheWay() throws {
        weak var late: Tensor?
        var wasFreed = false
        _ = try withGradients(of: [x]) {
            let result = try x.cloned().recorded(from: x) {
                [
                    GradientPath(to: x) {
                        wasFreed = late == nil
                        return $0
                    }
                ]
            }
            let hidden = try 2 * result
            late = hidden
            return try hidden.silu().sum()
        }
        #expect(wasFreed)
    }

    @Test func nothingIsLeft() throws {
        // Each round keeps some 30 MB on the way; a leak of it would show as gigabytes.
        let picture = try Tensor(uninitialized: [1, 4, 512, 512], dtype: .float32, in: library)
        try picture.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
        let weight = try Tensor([Float](repeating: 0.1, count: 4), shape: [4], in: library)
        let kernel = try Tensor(
            [Float](repeating: 0.1, count: 16), shape: [4, 4, 1, 1], in: library)
        let before = try residentBytes()
        for _ in 0..<40 {
            let (_, gradients) = try withGradients(of: [weight, kernel]) {
                let hidden = try picture.conv2d(weight: kernel, bias: weight)
                    .groupNorm(groups: 2, weight: weight, bias: weight, epsilon: 1e-5).silu()
                let places = try hidden.reshaped([4, -1, 4])
                return try places.layerNorm(weight: weight, bias: weight, epsilon: 1e-5)
                    .meanSquaredError(to: places)
            }
            #expect(gradients.allSatisfy { $0 != nil })
        }
        #expect(try residentBytes() - before < 300 << 20)
    }

    // MARK: - What is refused

    @Test func aLossIsOneRealNumber() throws {
        #expect(throws: GradientError.notScalar(shape: [3], dtype: .float32)) {
            try withGradients(of: [x]) { try x * x }
        }
        let counts = try Tensor([7] as [Int64], shape: [1], in: library)
        #expect(throws: GradientError.notScalar(shape: [1], dtype: .int64)) {
            try withGradients(of: [x]) { counts }
        }
    }

    @Test func aLossDependsOnAParameter() throws {
        let constant = try x.cloned()
        #expect(throws: GradientError.notRecorded) {
            try withGradients(of: [x]) { try constant.sum() }
        }
        #expect(throws: GradientError.notRecorded) {
            try withGradients(of: [x]) { try x.detached().sum() }
        }
        #expect(throws: GradientError.notRecorded) {
            try withGradients(of: [Tensor]()) { try x.sum() }
        }
    }

    @Test func nestedRecordsDoNotMix() throws {
        let y = try x.cloned()
        let (_, gradients) = try withGradients(of: [x]) {
            let square = try x * x
            let (_, inner) = try withGradients(of: [x]) { try (2 * x).sum() }
            #expect(try numbers(inner[0]) == [2, 2, 2])
            #expect(throws: GradientError.severalTapes) {
                try withGradients(of: [y]) { try (square * y).sum() }
            }
            let (_, other) = try withGradients(of: [y]) { try (square.detached() * y).sum() }
            #expect(try numbers(other[0]) == [1, 4, 9])
            return try (square * x).sum()
        }
        #expect(try numbers(gradients[0]) == [3, 12, 27])
    }

    @Test func shapesThatDoNotFitAreRefused() throws {
        let other = try x.reshaped([1, 3])
        #expect(throws: TorchError.self) { try x.meanSquaredError(to: other) }
        #expect(throws: TorchError.self) { try x.matrixProduct(other) }
        #expect(throws: TorchError.self) { try other.mean(over: [2]) }
        #expect(throws: TorchError.self) { try other.sum(over: [-3]) }
    }
}
