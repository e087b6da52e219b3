import CKernels

/// What kernels run on: vector instructions of this processor, and libtorch's threads.
package struct KernelMachine {
    /// The instructions that kernels come for, from the plainest up.
    package enum Instructions: CaseIterable, Sendable {
        case baseline
        case avx2
        case avx512

        var code: KernelsInstructions {
            switch self {
            case .baseline: KERNELS_BASELINE
            case .avx2: KERNELS_AVX2
            case .avx512: KERNELS_AVX512
            }
        }

        /// Those that this processor has.
        package static var available: [Instructions] {
            allCases.filter { $0.code.rawValue <= kernels_best_instructions().rawValue }
        }
    }

    let instructions: KernelsInstructions
    let threads: KernelsThreads

    /// - Parameters:
    ///   - instructions: of those that are `available`.
    ///   - threads: that work is divided among; as many as libtorch has unless given.
    package init(instructions: Instructions, threads: Int? = nil, in library: LibTorch) throws {
        var count: UInt32 = 0
        try library.check(library.functions.torch_get_num_threads(&count), "get_num_threads")
        self.instructions = instructions.code
        self.threads = KernelsThreads(
            count: Int64(max(threads ?? Int(count), 1)),
            parallel_for: library.functions.torch_parallel_for)
    }
}

extension KernelMachine {
    /// Whether kernels for float32 outrun libtorch's convolutions in bfloat16 here, besides rounding less.
    package static var outrunsBFloat16: Bool {
        Instructions.available.last != .baseline && !kernels_has_bfloat16_tiles()
    }
}

extension Tensor {
    /// What kernels would run on for this tensor of `rank` dimensions, `[N, C, H, W]` unless given; nil
    /// where libtorch's own operators are to be used: asked for, another rank, not float32, not on a CPU
    /// with wide vectors, or on the way to a loss, as no gradient comes back through a kernel.
    package func kernelMachine(_ precision: Precision, rank: Int = 4) throws -> KernelMachine? {
        guard precision == .default, !isRecorded, shape.count == rank, count > 0,
            try device == .cpu, try dtype == .float32,
            let best = KernelMachine.Instructions.available.last,
            best != .baseline
        else { return nil }
        return try KernelMachine(instructions: best, in: library)
    }

    /// The elements' address, after a check that they stand in memory as kernels read them.
    func floats(_ shape: [Int], order: MemoryFormat = .contiguous) throws
        -> UnsafeMutablePointer<Float>
    {
        guard self.shape == shape, try dtype == .float32, try device == .cpu,
            try order == .channelsLast ? isChannelsLast : isContiguous, let address = try address
        else {
            throw TorchError.invalidArgument(
                """
                A kernel needs a float32 tensor of shape \(shape) in the CPU's memory, not one of shape \
                \(self.shape) with strides \(try strides).
                """)
        }
        return address.assumingMemoryBound(to: Float.self)
    }

    /// Whether elements of `[N, C, H, W]` stand in the order N, H, W, C without gaps.
    package var isChannelsLast: Bool {
        get throws {
            guard shape.count == 4 else { return false }
            let expected = Self.channelsLastStrides(of: shape)
            // Where there is one element along a dimension, its stride means nothing.
            return try zip(shape, zip(strides, expected)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
        }
    }

    static func channelsLastStrides(of shape: [Int]) -> [Int] {
        [shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]]
    }
}
