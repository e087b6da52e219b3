import CTorch

/// A box around one of libtorch's tensors, and its one owner: the tensor is freed with the box.
///
/// Not `Sendable`: a tensor belongs to the thread that made it until it is handed over whole.
public final class Tensor {
    package let library: LibTorch
    let handle: AtenTensorHandle
    /// What holds the tensor's memory where libtorch does not: a mapped file. Views keep it too.
    private(set) var memoryOwner: AnyObject?

    /// The size of each dimension.
    public let shape: [Int]

    /// Where a tape has recorded this tensor, if one has.
    var trace: Trace?

    init(owning handle: AtenTensorHandle, memoryOwner: AnyObject? = nil, in library: LibTorch)
        throws
    {
        self.library = library
        self.handle = handle
        self.memoryOwner = memoryOwner
        do {
            self.shape = try Self.sizes(of: handle, in: library)
        } catch {
            _ = library.functions.aoti_torch_delete_tensor_object(handle)
            throw error
        }
    }

    deinit {
        // A failure here could only be a damaged handle; there is nobody to tell.
        _ = library.functions.aoti_torch_delete_tensor_object(handle)
    }

    /// Whether the memory is a block that no other tensor and no view holds.
    var ownsReusedMemoryAlone: Bool {
        memoryOwner is ReusedMemory.Block && isKnownUniquelyReferenced(&memoryOwner)
    }

    // MARK: - Facts

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    public var dtype: DType {
        get throws {
            var code: Int32 = 0
            try library.check(
                library.functions.aoti_torch_get_dtype(handle, &code), "get_dtype")
            guard let dtype = DType(code: code, in: library.functions) else {
                throw TorchError.invalidArgument(
                    "A tensor has a dtype that is not supported here (libtorch's number \(code)).")
            }
            return dtype
        }
    }

    public var device: Device {
        get throws {
            var type: Int32 = 0
            var index: Int32 = 0
            let functions = library.functions
            try library.check(
                functions.aoti_torch_get_device_type(handle, &type), "get_device_type")
            try library.check(
                functions.aoti_torch_get_device_index(handle, &index), "get_device_index")
            if type == functions.aoti_torch_device_type_cpu() { return .cpu }
            guard type == functions.aoti_torch_device_type_cuda() else {
                throw TorchError.invalidArgument(
                    "A tensor is on a device that is not supported here (libtorch's number \(type))."
                )
            }
            return .cuda(index: Int(index))
        }
    }

    /// Distance in elements between neighbours along each dimension.
    public var strides: [Int] {
        get throws {
            var borrowed: UnsafeMutablePointer<Int64>?
            try library.check(
                library.functions.aoti_torch_get_strides(handle, &borrowed), "get_strides")
            return UnsafeBufferPointer(start: borrowed, count: shape.count).map(Int.init)
        }
    }

    /// Whether elements stand in row-major order without gaps.
    public var isContiguous: Bool {
        get throws {
            var answer = false
            try library.check(
                library.functions.aoti_torch_is_contiguous(handle, &answer), "is_contiguous")
            return answer
        }
    }

    private static func sizes(of handle: AtenTensorHandle, in library: LibTorch) throws -> [Int] {
        var dimensions: Int64 = 0
        var borrowed: UnsafeMutablePointer<Int64>?
        try library.check(library.functions.aoti_torch_get_dim(handle, &dimensions), "get_dim")
        try library.check(library.functions.aoti_torch_get_sizes(handle, &borrowed), "get_sizes")
        return UnsafeBufferPointer(start: borrowed, count: Int(dimensions)).map(Int.init)
    }
}
