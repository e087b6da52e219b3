import Glibc
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

    /// What lies idle is not more than what is in use, or than the bound.
    @Test func givesBackWhatWouldLieIdle() throws {
        let large = ReusedMemory.idleBound
        try ReusedMemory.scope {
            let used = try ReusedMemory.block(byteCount: 2 * large)
            var blocks = try (0..<4).map { _ in try ReusedMemory.block(byteCount: large) }
            #expect(ReusedMemory.idleBytes == 0)
            blocks.removeAll()
            #expect(ReusedMemory.idleBytes == 2 * large)
            _ = try ReusedMemory.block(byteCount: large)
            withExtendedLifetime(used) {}
        }
        try ReusedMemory.scope {
            _ = try ReusedMemory.block(byteCount: large)
            #expect(ReusedMemory.idleBytes == large)
            _ = try ReusedMemory.block(byteCount: large + 1)
            #expect(ReusedMemory.idleBytes <= large)
        }
    }

    /// A large block's pages that its next user does not need are given back, and are there again later.
    @Test func givesBackTheTailOfALargeBlock() throws {
        let size = 3 * ReusedMemory.tailBound / 2
        try ReusedMemory.scope {
            var block: ReusedMemory.Block? = try ReusedMemory.block(byteCount: size)
            let address = block?.address
            block?.address.initializeMemory(as: UInt8.self, repeating: 1, count: size)
            #expect(residentPages(of: block, size) == size / 4096)
            block = nil
            block = try ReusedMemory.block(byteCount: size / 3)
            #expect(block?.address == address)
            #expect(residentPages(of: block, size) == size / 3 / 4096)
            #expect(ReusedMemory.idleBytes == 0)
            block = nil
            #expect(ReusedMemory.idleBytes == size / 3)
            block = try ReusedMemory.block(byteCount: size)
            #expect(block?.address == address)
            block?.address.initializeMemory(as: UInt8.self, repeating: 2, count: size)
        }
    }

    /// Of the first `size` bytes, how many pages of 4 KiB are filled.
    private func residentPages(of block: ReusedMemory.Block?, _ size: Int) -> Int {
        var answers = [UInt8](repeating: 0, count: size / 4096)
        guard let block, mincore(block.address, size, &answers) == 0 else { return -1 }
        return answers.count { $0 & 1 == 1 }
    }

    @Test func refusesWhatIsTooMuch() throws {
        #expect(throws: TorchError.self) { _ = try ReusedMemory.block(byteCount: .max) }
        #expect(throws: TorchError.self) { _ = try ReusedMemory.block(byteCount: .max / 2) }
    }
}
