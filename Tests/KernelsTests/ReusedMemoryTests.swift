import Testing

@testable import Torch

@Suite struct ReusedMemoryTests {
    @Test func servesTheNextOperationInAScope() throws {
        try ReusedMemory.scope {
            var first: ReusedMemory.Block? = try ReusedMemory.block(byteCount: 5_000_000)
            let address = first?.address
            let second = try ReusedMemory.block(byteCount: 5_000_000)
            #expect(second.address != address)
            first = nil
            let third = try ReusedMemory.block(byteCount: 4_000_000)
            #expect(third.address == address)
        }
        try ReusedMemory.scope {
            var block: ReusedMemory.Block? = try ReusedMemory.block(byteCount: 5_000_000)
            let address = block?.address
            block = nil
            // A scope in a scope is the same one.
            try ReusedMemory.scope {
                let inner = try ReusedMemory.block(byteCount: 4_500_000)
                #expect(inner.address == address)
            }
            // Too much for so little.
            let small = try ReusedMemory.block(byteCount: 1000)
            #expect(small.address != address)
        }
    }

    /// Under the memory checkers of the toolchain this would also show a block freed twice.
    @Test func staysWithATensorThatOutlivesTheScope() throws {
        let library = try LibTorch.shared()
        let tensor = try ReusedMemory.scope {
            let tensor = try Tensor(channelsLast: [1, 3, 400, 400], in: library)
            let address = try #require(try tensor.address)
            address.assumingMemoryBound(to: Float.self).update(repeating: 3, count: tensor.count)
            return tensor
        }
        let other = try Tensor(channelsLast: [1, 3, 400, 400], in: library)
        let (first, second) = try (tensor.address, other.address)
        #expect(first != second)
        let elements = try tensor.elements(as: Float.self)
        #expect(elements.allSatisfy { $0 == 3 })
    }

    /// A view keeps the memory that it looks at.
    @Test func staysWithAView() throws {
        let library = try LibTorch.shared()
        let view = try ReusedMemory.scope {
            let tensor = try Tensor(channelsLast: [1, 3, 400, 400], in: library)
            let address = try #require(try tensor.address)
            address.assumingMemoryBound(to: Float.self).update(repeating: 2, count: tensor.count)
            return try tensor.permuted([0, 2, 3, 1]).reshaped([1, 160_000, 3]).transposed(1, 2)
        }
        let other = try Tensor(channelsLast: [1, 3, 400, 400], in: library)
        let address = try #require(try other.address)
        address.assumingMemoryBound(to: Float.self).update(repeating: 5, count: other.count)
        let elements = try view.elements(as: Float.self)
        #expect(elements.allSatisfy { $0 == 2 })
    }

    @Test func refusesWhatIsTooMuch() throws {
        #expect(throws: TorchError.self) { _ = try ReusedMemory.block(byteCount: .max / 2) }
    }
}
