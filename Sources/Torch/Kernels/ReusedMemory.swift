import Glibc
import Synchronization

/// Memory that the operations of one computation hand on to each other.
///
/// A system gives out large memory as pages that it fills with zeros one by one, when they are first
/// touched; for feature maps that can take as long as computing them. Inside a `scope` memory that an
/// operation is done with serves the next one, and never more is held than was in use at once. After it
/// the system may take it when it runs short; otherwise it serves the next scope. All of it is given back
/// when this object goes.
package final class ReusedMemory {
    /// Blocks of fewer bytes come from `malloc`, which reuses them itself.
    static let smallestPooled = 1 << 20

    @TaskLocal private static var store: Store?
    private let own = Store()

    package init() {}

    deinit {
        own.close()
    }

    /// Runs `body`, in which kernels reuse this memory. A scope in a scope is part of it.
    package func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard Self.store == nil else { return try body() }
        defer { own.offerIdle() }
        return try Self.$store.withValue(own) { try body() }
    }

    /// Gives back what lies idle: before another model's turn, whose weights need the room.
    package func giveBackIdle() {
        own.giveBackIdle()
    }

    /// Memory whose address is divisible by 64, until the last reference goes.
    /// - Throws: `TorchError.invalidArgument` if there is not so much.
    static func block(byteCount: Int) throws -> Block {
        guard byteCount >= smallestPooled else { return try Block(small: byteCount) }
        return try Block(byteCount: byteCount, of: store ?? Store(isClosed: true))
    }

    /// Bytes that lie idle, filled, in the scope that this is called in.
    static var idleBytes: Int { store?.idleBytes ?? 0 }

    /// A piece of memory and its one owner.
    final class Block {
        let address: UnsafeMutableRawPointer
        private let store: Store?

        fileprivate init(small byteCount: Int) throws {
            var memory: UnsafeMutableRawPointer?
            guard posix_memalign(&memory, 64, max(byteCount, 64)) == 0, let memory else {
                throw TorchError.noMemory(byteCount: byteCount)
            }
            address = memory
            store = nil
        }

        fileprivate init(byteCount: Int, of store: Store) throws {
            address = try store.take(byteCount)
            self.store = store
        }

        deinit {
            if let store { store.keep(address) } else { free(address) }
        }
    }

    /// What blocks are parts of.
    fileprivate final class Store: Sendable {
        private struct State {
            var pool = PagePool()
            var isClosed: Bool
        }

        private let state: Mutex<State>

        init(isClosed: Bool = false) {
            state = Mutex(State(isClosed: isClosed))
        }

        var idleBytes: Int {
            state.withLock { ($0.pool.filledCount - $0.pool.usedCount) * Pages.size }
        }

        func take(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
            guard byteCount <= .max - Pages.size else {
                throw TorchError.noMemory(byteCount: byteCount)
            }
            return try state.withLock { try $0.pool.take(Pages.count(for: byteCount)) }
        }

        func keep(_ address: UnsafeMutableRawPointer) {
            state.withLock { state in
                state.pool.keep(address)
                if state.isClosed { state.pool.giveBackIdle() }
            }
        }

        func offerIdle() {
            state.withLock { $0.pool.offerIdle() }
        }

        func giveBackIdle() {
            state.withLock { $0.pool.giveBackIdle() }
        }

        /// From now on nothing lies idle; blocks stay with those who have them.
        func close() {
            state.withLock { state in
                state.isClosed = true
                state.pool.giveBackIdle()
            }
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
