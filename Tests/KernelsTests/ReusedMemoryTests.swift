import Glibc
import Testing

@testable import Torch

@Suite struct ReusedMemoryTests {
    @Test func servesTheNextOperationInAScope() throws {
        try ReusedMemory().scope {
            var first: ReusedMemory.Block? = try ReusedMemory.block(byteCount: 5_000_000)
            let address = first?.address
            let second = try ReusedMemory.block(byteCount: 5_000_000)
            #expect(second.address != address)
            first = nil
            let third = try ReusedMemory.block(byteCount: 4_000_000)
            #expect(third.address == address)
        }
        try ReusedMemory().scope {
            var block: ReusedMemory.Block? = try ReusedMemory.block(byteCount: 5_000_000)
            let address = block?.address
            block = nil
            // A scope in a scope is the same one.
            try ReusedMemory().scope {
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
        let tensor = try ReusedMemory().scope {
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
        let view = try ReusedMemory().scope {
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

    /// Never more is held than was in use at once: what a new block does not find room in is given back.
    @Test func holdsNoMoreThanWasInUseAtOnce() throws {
        let page = Pages.size
        let memory = ReusedMemory()
        try memory.scope {
            var blocks = try [3, 5].map { try ReusedMemory.block(byteCount: $0 * page) }
            #expect(ReusedMemory.idleBytes == 0)
            blocks.removeAll()
            #expect(ReusedMemory.idleBytes == 8 * page)
            // Neither of both has room for it.
            blocks = [try ReusedMemory.block(byteCount: 6 * page)]
            #expect(ReusedMemory.idleBytes == 2 * page)
            blocks.append(try ReusedMemory.block(byteCount: 9 * page))
            #expect(ReusedMemory.idleBytes == 0)
            blocks.removeFirst()
            #expect(ReusedMemory.idleBytes == 6 * page)
            memory.giveBackIdle()
            #expect(ReusedMemory.idleBytes == 0)
            blocks.removeAll()
            #expect(ReusedMemory.idleBytes == 9 * page)
        }
    }

    /// Between its scopes a memory is the system's to take, and serves the next one if it was not taken.
    @Test func servesTheNextScope() throws {
        let memory = ReusedMemory()
        let first = try memory.scope {
            let block = try ReusedMemory.block(byteCount: 5_000_000)
            block.address.initializeMemory(as: UInt8.self, repeating: 1, count: 5_000_000)
            return block.address
        }
        try memory.scope {
            #expect(ReusedMemory.idleBytes == 3 * Pages.size)
            let block = try ReusedMemory.block(byteCount: 5_000_000)
            #expect(block.address == first)
            block.address.initializeMemory(as: UInt8.self, repeating: 2, count: 5_000_000)
            let bytes = UnsafeRawBufferPointer(start: block.address, count: 5_000_000)
            #expect(bytes.allSatisfy { $0 == 2 })
        }
    }

    /// What is given back is there again when it is needed.
    @Test func fillsAgainWhatWasGivenBack() throws {
        let page = Pages.size
        let memory = ReusedMemory()
        try memory.scope {
            let first = try ReusedMemory.block(byteCount: page)
            var block: ReusedMemory.Block? = try ReusedMemory.block(byteCount: 4 * page)
            let address = block?.address
            block?.address.initializeMemory(as: UInt8.self, repeating: 1, count: 4 * page)
            #expect(residentPages(of: address, 4 * page) == 4 * page / 4096)
            block = nil
            block = try ReusedMemory.block(byteCount: page)
            #expect(block?.address == address)
            memory.giveBackIdle()
            #expect(residentPages(of: address, 4 * page) == page / 4096)
            block = nil
            block = try ReusedMemory.block(byteCount: 4 * page)
            #expect(block?.address == address)
            block?.address.initializeMemory(as: UInt8.self, repeating: 2, count: 4 * page)
            withExtendedLifetime(first) {}
        }
    }

    /// Blocks of any size, taken and given back in any order, never share a byte.
    @Test func blocksNeverShareMemory() throws {
        var numbers = SplitMix64(seed: 7)
        let memory = ReusedMemory()
        try memory.scope {
            var blocks: [(block: ReusedMemory.Block, size: Int, mark: UInt8)] = []
            for round in 0..<400 {
                if blocks.count > 6 || (blocks.count > 0 && numbers.next() % 3 == 0) {
                    let number = Int(numbers.next() % UInt64(blocks.count))
                    let (block, size, mark) = blocks.remove(at: number)
                    let bytes = UnsafeRawBufferPointer(start: block.address, count: size)
                    let isOwn = stride(from: 0, to: size, by: 4096).allSatisfy { bytes[$0] == mark }
                    #expect(isOwn && bytes.last == mark)
                    if numbers.next() % 8 == 0 { memory.giveBackIdle() }
                } else {
                    let size = Int(numbers.next() % UInt64(12 << 20)) + 1
                    let block = try ReusedMemory.block(byteCount: size)
                    let mark = UInt8(truncatingIfNeeded: round)
                    block.address.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                    blocks.append((block, size, mark))
                }
            }
        }
    }

    /// Of the first `size` bytes, how many pages of 4 KiB are filled.
    private func residentPages(of address: UnsafeMutableRawPointer?, _ size: Int) -> Int {
        var answers = [UInt8](repeating: 0, count: size / 4096)
        guard let address, mincore(address, size, &answers) == 0 else { return -1 }
        return answers.count { $0 & 1 == 1 }
    }

    @Test func refusesWhatIsTooMuch() throws {
        #expect(throws: TorchError.self) { _ = try ReusedMemory.block(byteCount: .max) }
        #expect(throws: TorchError.self) { _ = try ReusedMemory.block(byteCount: .max / 2) }
    }
}
