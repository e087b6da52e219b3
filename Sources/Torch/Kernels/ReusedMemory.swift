import Glibc
import Synchronization

/// Memory that the operations of one computation hand on to each other.
///
/// A system gives out large memory as pages that it fills with zeros one by one, when they are first
/// touched; for feature maps that can take as long as computing them. Inside a `scope` memory that an
/// operation is done with serves the next one. What lies idle stays below what is in use, or below
/// `idleBound`; the rest is given back, all of it when this object goes.
package final class ReusedMemory {
    /// Bytes that may lie idle though less is in use.
    static let idleBound = 64 << 20
    /// Bytes of a block that its next user has no use for and that are worth giving back.
    static let tailBound = 32 << 20

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
        try store?.take(byteCount) ?? Block(Pages(byteCount: byteCount), store: nil)
    }

    /// Bytes that lie idle in the scope that this is called in.
    static var idleBytes: Int { store?.idleBytes ?? 0 }

    /// A piece of memory and its one owner.
    final class Block {
        private let pages: Pages
        private let store: Store?

        var address: UnsafeMutableRawPointer { pages.address }

        fileprivate init(_ pages: Pages, store: Store?) {
            self.pages = pages
            self.store = store
        }

        deinit {
            if let store { store.keep(pages) } else { pages.giveBack() }
        }
    }

    /// What blocks were made of, and who may have it next.
    fileprivate final class Store: Sendable {
        private struct State {
            var idle: [Pages] = []
            /// Bytes of all that is idle, and of all that blocks hold.
            var idleBytes = 0
            var usedBytes = 0
            var isClosed = false
        }

        private let state = Mutex(State())

        var idleBytes: Int { state.withLock { $0.idleBytes } }

        /// Idle memory that fits without much waste, or new one.
        func take(_ byteCount: Int) throws -> Block {
            let found = state.withLock { state -> Pages? in
                let best = state.idle.indices
                    .filter {
                        state.idle[$0].size >= byteCount && state.idle[$0].size / 4 <= byteCount
                    }
                    .min { state.idle[$0].size < state.idle[$1].size }
                guard let best else { return nil }
                let pages = state.idle.remove(at: best)
                state.idleBytes -= pages.filled
                return pages
            }
            var pages = try found ?? Pages(byteCount: byteCount)
            pages.use(byteCount)
            let filled = pages.filled
            state.withLock { $0.usedBytes += filled }
            return Block(pages, store: self)
        }

        /// Takes memory back for others, and gives back what is too much of it, the largest first.
        func keep(_ pages: Pages) {
            let tooMuch = state.withLock { state in
                state.usedBytes -= pages.filled
                state.idleBytes += pages.filled
                state.idle.append(pages)
                let bound = state.isClosed ? 0 : max(state.usedBytes, ReusedMemory.idleBound)
                var tooMuch: [Pages] = []
                while state.idleBytes > bound,
                    let largest = state.idle.indices.max(by: {
                        state.idle[$0].filled < state.idle[$1].filled
                    })
                {
                    let pages = state.idle.remove(at: largest)
                    state.idleBytes -= pages.filled
                    tooMuch.append(pages)
                }
                return tooMuch
            }
            for pages in tooMuch { pages.giveBack() }
        }

        func close() {
            let all = state.withLock { state in
                state.isClosed = true
                state.idleBytes = 0
                defer { state.idle = [] }
                return state.idle
            }
            for pages in all { pages.giveBack() }
        }
    }
}

/// Memory as the system gives it.
///
/// `@unchecked Sendable`: whoever has it is its one user.
private struct Pages: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    /// In bytes.
    let size: Int
    /// Bytes from the beginning on that may be filled.
    private(set) var filled: Int

    private static let hugePage = 2 << 20
    private var isMapped: Bool { size >= Self.hugePage }

    /// - Throws: `TorchError.invalidArgument` if there is not so much.
    init(byteCount: Int) throws {
        let missing = TorchError.invalidArgument("There is no memory for \(byteCount) bytes.")
        guard byteCount <= .max / 2 else { throw missing }
        filled = 0
        guard byteCount >= Self.hugePage else {
            size = max(byteCount, 64)
            var memory: UnsafeMutableRawPointer?
            guard posix_memalign(&memory, 64, size) == 0, let memory else { throw missing }
            address = memory
            return
        }
        // Whole huge pages: fewer of them to fill and to find. Not from `malloc`, which would keep
        // memory of this size from the first time on that some is freed.
        size = Self.wholeHugePages(byteCount)
        guard
            let start = mmap(
                nil, size + Self.hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0), start != MAP_FAILED
        else { throw missing }
        let before = -Int(bitPattern: start) & (Self.hugePage - 1)
        address = start + before
        if before > 0 { munmap(start, before) }
        munmap(address + size, Self.hugePage - before)
        madvise(address, size, MADV_HUGEPAGE)
    }

    /// For `byteCount` bytes; what is filled beyond them is given back if it is much.
    mutating func use(_ byteCount: Int) {
        guard isMapped else {
            filled = size
            return
        }
        let needed = min(Self.wholeHugePages(byteCount), size)
        if filled - needed >= ReusedMemory.tailBound {
            madvise(address + needed, filled - needed, MADV_DONTNEED)
            filled = needed
        }
        filled = max(filled, needed)
    }

    func giveBack() {
        if isMapped { munmap(address, size) } else { free(address) }
    }

    private static func wholeHugePages(_ byteCount: Int) -> Int {
        (byteCount + hugePage - 1) / hugePage * hugePage
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
