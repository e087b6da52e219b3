import Torch

extension MappedFile {
    /// A tensor over bytes of this file: a view that keeps the mapping, or a copy where the bytes
    /// stand at an address that the processor cannot read such elements from.
    ///
    /// - Parameter strides: in elements; row-major order without them.
    /// - Throws: `CheckpointError.malformed` if the range lies outside the file.
    func tensor(
        in range: Range<Int>, shape: [Int], strides: [Int]? = nil, dtype: DType,
        in library: LibTorch
    ) throws -> Tensor {
        try withBytes(in: range) { bytes in
            let isAligned = Int(bitPattern: bytes.baseAddress) % dtype.byteCount == 0
            guard !isAligned, !bytes.isEmpty else {
                return try Tensor(
                    viewing: bytes, shape: shape, strides: strides, dtype: dtype, owner: self,
                    in: library)
            }
            let copy = AlignedCopy(of: bytes)
            return try Tensor(
                viewing: copy.bytes, shape: shape, strides: strides, dtype: dtype, owner: copy,
                in: library)
        }
    }
}

/// Bytes copied to an address that suits elements of every type.
private final class AlignedCopy {
    private let memory: UnsafeMutableRawBufferPointer

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    init(of source: UnsafeRawBufferPointer) {
        memory = .allocate(byteCount: source.count, alignment: 64)
        memory.copyMemory(from: source)
    }

    deinit {
        memory.deallocate()
    }
}
