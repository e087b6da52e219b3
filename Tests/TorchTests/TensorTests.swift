import Foundation
import Testing

@testable import Torch

@Suite struct TensorTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    private final class Memory {
        let bytes: UnsafeMutableRawBufferPointer
        let onFree: () -> Void

        init(_ values: [Float], onFree: @escaping () -> Void = {}) {
            self.onFree = onFree
            bytes = .allocate(byteCount: 4 * values.count, alignment: 64)
            values.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }

        deinit {
            bytes.deallocate()
            onFree()
        }
    }

    @Test func knowsItsFacts() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3], in: library)
        #expect(tensor.shape == [2, 3])
        #expect(tensor.count == 6)
        #expect(try tensor.dtype == .float32)
        #expect(try tensor.device == .cpu)
        #expect(try tensor.strides == [3, 1])
        #expect(try tensor.isContiguous)
        #expect(try !tensor.transposed(0, 1).isContiguous)
    }

    @Test func aViewKeepsTheMemoryThatItReads() throws {
        nonisolated(unsafe) var freed = false
        var view: Tensor? = try {
            let memory = Memory([1, 2, 3, 4]) { freed = true }
            let tensor = try Tensor(
                viewing: UnsafeRawBufferPointer(memory.bytes), shape: [2, 2], dtype: .float32,
                owner: memory, in: library)
            return try tensor.transposed(0, 1).narrowed(dimension: 0, start: 1, length: 1)
        }()
        #expect(!freed)
        #expect(try view?.elements(as: Float.self) == [2, 4])
        view = nil
        #expect(freed)
    }

    @Test func stridesThatLeaveTheMemoryAreRefused() throws {
        let memory = Memory([1, 2, 3, 4])
        for (shape, strides) in [
            ([2, 3], nil), ([2, 2], [3, 1]), ([2], [Int.max]), ([2, 2], [-1, 1]), ([2], [1, 1]),
        ] as [([Int], [Int]?)] {
            #expect(throws: TorchError.self) {
                try Tensor(
                    viewing: UnsafeRawBufferPointer(memory.bytes), shape: shape, strides: strides,
                    dtype: .float32, owner: memory, in: library)
            }
        }
    }

    @Test func impossibleShapesAreRefused() throws {
        for shape in [[-1], [Int.max, 2], [1 << 40, 1 << 40], [0, Int.max, Int.max]] {
            #expect(throws: TorchError.self) {
                try Tensor(uninitialized: shape, dtype: .float32, in: library)
            }
        }
        #expect(throws: TorchError.self) {
            try Tensor([1, 2, 3] as [Float], shape: [2], in: library)
        }
    }

    @Test func errorsCarryLibTorchsWords() throws {
        let tensor = try Tensor([1, 2, 3] as [Float], shape: [3], in: library)
        let error = #expect(throws: TorchError.self) { try tensor.reshaped([2]) }
        #expect("\(try #require(error))".contains("reshape"))
    }

    @Test func deviceNames() throws {
        #expect(try Device(parsing: "cpu") == .cpu)
        #expect(try Device(parsing: "cuda") == .cuda(index: 0))
        #expect(try Device(parsing: "cuda:3") == .cuda(index: 3))
        for name in ["", "tpu", "cuda:", "cuda:-1", "cuda:x", "cuda:300", "CPU", "cuda:1 "] {
            #expect(throws: TorchError.self) { try Device(parsing: name) }
        }
    }

    @Test func noOperationLeaksItsArguments() throws {
        // Each round makes and drops 4 MB; a leak of arguments or results would show as a gigabyte.
        let x = try Tensor(uninitialized: [1 << 20], dtype: .float32, in: library)
        let before = try residentBytes()
        for _ in 0..<100 {
            _ = try (x + x).reshaped([2, -1]).clamped(to: 0...1)
        }
        #expect(try residentBytes() - before < 200 << 20)
    }
}
