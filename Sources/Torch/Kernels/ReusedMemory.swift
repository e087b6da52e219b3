import Glibc
import Synchronization

/// Memory that the operations of one computation hand on to each other.
///
/// A system gives out large memory as pages that it fills with zeros one by one, when they are first
/// touched; for feature maps that can take as long as computing them. Inside a `scope` memory that an
/// operation is done with serves the next one. When this object goes, it is all given back.
package final class ReusedMemory {
    @TaskLocal private static var store: Store?
    private let own = Store()

    package init() {}

    deinit {
        own.close()
    }

    /// Runs `body`, in which kernels reuse this memory. A scope in a scope is part of it.
    package func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard Self.store == nil else { return try body() }
        return try Self.$store.withValue(own) { try body() }
    }

    /// Runs `body`, in which kernels reuse memory that is given back afterwards.
    package static func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
        let memory = ReusedMemory()
        return try withExtendedLifetime(memory) { try memory.scope(body) }
    }

    /// Memory whose address is divisible by 64, until the last reference goes.
    /// - Throws: `TorchError.invalidArgument` if there is not so much.
    static func block(byteCount: Int) throws -> Block {
        try store?.take(byteCount) ?? Block(byteCount: byteCount, store: nil)
    }

    /// A piece of memory and its one owner.
    final class Block {
        let address: UnsafeMutableRawPointer
        fileprivate let size: Int
        private let store: Store?

        fileprivate init(byteCount: Int, store: Store?) throws {
            // Whole huge pages where they are worth it: fewer of them to fill and to find.
            let hugePage = 2 << 20
            let isLarge = byteCount >= hugePage
            size = isLarge ? (byteCount + hugePage - 1) / hugePage * hugePage : max(byteCount, 64)
            var memory: UnsafeMutableRawPointer?
            guard posix_memalign(&memory, isLarge ? hugePage : 64, size) == 0, let memory else {
                throw TorchError.invalidArgument("There is no memory for \(byteCount) bytes.")
            }
            if isLarge { madvise(memory, size, MADV_HUGEPAGE) }
            address = memory
            self.store = store
        }

        fileprivate init(_ memory: Store.Memory, store: Store) {
            address = memory.address
            size = memory.size
            self.store = store
        }

        deinit {
            if let store, store.keep(Store.Memory(address: address, size: size)) { return }
            free(address)
        }
    }

    fileprivate final class Store: Sendable {
        /// `@unchecked Sendable`: whoever takes it out of the list is its one user.
        struct Memory: @unchecked Sendable {
            let address: UnsafeMutableRawPointer
            let size: Int
        }

        /// What is free, or nil when it was all given back.
        private let free = Mutex<[Memory]?>([])

        /// Free memory that fits without much waste, or new one.
        func take(_ byteCount: Int) throws -> Block {
            let found = free.withLock { free -> Memory? in
                guard let memory = free else { return nil }
                let best = memory.indices
                    .filter { memory[$0].size >= byteCount && memory[$0].size / 4 <= byteCount }
                    .min { memory[$0].size < memory[$1].size }
                return best.flatMap { free?.remove(at: $0) }
            }
            return try found.map { Block($0, store: self) }
                ?? Block(byteCount: byteCount, store: self)
        }

        /// Whether memory was taken back for others.
        func keep(_ memory: Memory) -> Bool {
            free.withLock { free in
                free?.append(memory)
                return free != nil
            }
        }

        func close() {
            let all = free.withLock { free in
                defer { free = nil }
                return free ?? []
            }
            for memory in all { Glibc.free(memory.address) }
        }
    }
}

extension Tensor {
    /// A tensor of float32 on the CPU in row-major order, yet to be written.
    convenience init(reusingMemory shape: [Int], in library: LibTorch) throws {
        let block = try ReusedMemory.block(
            byteCount: try Self.checkedCount(of: shape, dtype: .float32) * 4)
        try self.init(
            viewing: block.address, shape: shape, dtype: .float32, device: .cpu, owner: block,
            in: library)
    }

    /// A feature map `[N, C, H, W]` of float32 on the CPU, stored channels last, yet to be written.
    convenience init(channelsLast shape: [Int], in library: LibTorch) throws {
        let block = try ReusedMemory.block(
            byteCount: try Self.checkedCount(of: shape, dtype: .float32) * 4)
        try self.init(
            viewing: block.address, shape: shape, strides: Self.channelsLastStrides(of: shape),
            dtype: .float32, device: .cpu, owner: block, in: library)
    }
}
