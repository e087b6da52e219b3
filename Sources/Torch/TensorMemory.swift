import CTorch

// Making tensors from memory, and reading them back.

extension Tensor {
    /// A tensor whose elements are yet to be written.
    /// - Throws: `TorchError` if the shape is negative or too large for the device.
    public convenience init(
        uninitialized shape: [Int], dtype: DType, device: Device = .cpu, in library: LibTorch
    ) throws {
        _ = try Self.checkedCount(of: shape, dtype: dtype)
        let sizes = shape.map(Int64.init)
        let strides = Self.contiguousStrides(of: shape).map(Int64.init)
        var handle: AtenTensorHandle?
        let functions = library.functions
        try library.check(
            functions.aoti_torch_empty_strided(
                Int64(sizes.count), sizes, strides, dtype.code(in: functions),
                device.typeCode(in: functions), device.index, &handle), "empty_strided")
        try self.init(owning: library.unwrap(handle, "empty_strided"), in: library)
    }

    /// A tensor on the CPU with a copy of `elements`, in row-major order.
    /// - Throws: `TorchError.invalidArgument` if their number is not the product of `shape`.
    public convenience init<Element: TensorElement>(
        _ elements: [Element], shape: [Int], in library: LibTorch
    ) throws {
        try self.init(
            uninitialized: shape, dtype: Element.dtype, in: library)
        guard elements.count == count else {
            throw TorchError.invalidArgument(
                "\(elements.count) elements do not fill a tensor of shape \(shape).")
        }
        try elements.withUnsafeBytes { source in
            try withUnsafeMutableBytes { $0.copyMemory(from: source) }
        }
    }

    /// Zeros of the shape, dtype and device of `other`.
    public static func zeros(like other: Tensor) throws -> Tensor {
        try other.filled(by: "zeros_like")
    }

    /// Ones of the shape, dtype and device of `other`.
    public static func ones(like other: Tensor) throws -> Tensor {
        try other.filled(by: "ones_like")
    }

    private func filled(by name: String) throws -> Tensor {
        try library.call(name, [.tensor(self), .none, .none, .none, .none, .none])
    }

    /// A tensor on the CPU that reads `bytes` where they are, without a copy.
    ///
    /// - Parameters:
    ///   - bytes: those of all elements. Nothing may write to them meanwhile.
    ///   - shape: the size of each dimension.
    ///   - strides: in elements; row-major order without them.
    ///   - dtype: of the elements in `bytes`.
    ///   - owner: keeps `bytes` alive; kept as long as the tensor and its views.
    ///   - library: that the tensor is of.
    /// - Throws: `TorchError.invalidArgument` if an element would lie outside `bytes`.
    public convenience init(
        viewing bytes: UnsafeRawBufferPointer, shape: [Int], strides: [Int]? = nil, dtype: DType,
        owner: AnyObject, in library: LibTorch
    ) throws {
        let count = try Self.checkedCount(of: shape, dtype: dtype)
        let steps = strides ?? Self.contiguousStrides(of: shape)
        guard count > 0, let start = bytes.baseAddress else {
            try self.init(uninitialized: shape, dtype: dtype, in: library)
            return
        }
        guard let reach = Self.reach(shape: shape, strides: steps),
            reach <= bytes.count / dtype.byteCount
        else {
            throw TorchError.invalidArgument(
                "A tensor of shape \(shape), strides \(steps) and dtype \(dtype) does not fit into "
                    + "\(bytes.count) bytes.")
        }
        try self.init(
            viewing: UnsafeMutableRawPointer(mutating: start), shape: shape, strides: steps,
            dtype: dtype, device: .cpu, owner: owner, in: library)
    }

    /// A tensor on any device that reads another program's memory where it is, without a copy.
    ///
    /// - Parameters:
    ///   - address: of the first element; nil if there are none. That the shape and strides stay within
    ///     the memory is the caller's word.
    ///   - shape: the size of each dimension.
    ///   - strides: in elements, as many as dimensions; row-major order without them.
    ///   - dtype: of the elements in memory.
    ///   - device: that the memory is on.
    ///   - owner: keeps the memory alive; kept as long as the tensor and its views.
    ///   - library: that the tensor is of.
    public convenience init(
        viewing address: UnsafeMutableRawPointer?, shape: [Int], strides: [Int]? = nil,
        dtype: DType, device: Device, owner: AnyObject, in library: LibTorch
    ) throws {
        let count = try Self.checkedCount(of: shape, dtype: dtype)
        let strides = strides ?? Self.contiguousStrides(of: shape)
        guard shape.count == strides.count else {
            throw TorchError.invalidArgument(
                "\(strides.count) strides do not belong to a shape of \(shape.count) dimensions.")
        }
        guard let address else {
            guard count == 0 else {
                throw TorchError.invalidArgument("A tensor of shape \(shape) has no memory.")
            }
            try self.init(uninitialized: shape, dtype: dtype, device: device, in: library)
            return
        }
        let functions = library.functions
        var handle: AtenTensorHandle?
        try library.check(
            functions.aoti_torch_create_tensor_from_blob(
                address, Int64(shape.count), shape.map(Int64.init), strides.map(Int64.init), 0,
                dtype.code(in: functions), device.typeCode(in: functions), device.index, &handle),
            "create_tensor_from_blob")
        try self.init(
            owning: library.unwrap(handle, "create_tensor_from_blob"), memoryOwner: owner,
            in: library)
    }

    /// The address of the first element, on whatever device; nil if there are none. Valid as long as
    /// the tensor.
    public var address: UnsafeMutableRawPointer? {
        get throws {
            var address: UnsafeMutableRawPointer?
            try library.check(
                library.functions.aoti_torch_get_data_ptr(handle, &address), "data_ptr")
            return address
        }
    }

    /// The bytes of a contiguous tensor on the CPU, for reading.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        try withUnsafeMutableBytes { try body(UnsafeRawBufferPointer($0)) }
    }

    /// The bytes of a contiguous tensor on the CPU. Never write to a tensor that views a file.
    public func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard try device == .cpu, try isContiguous else {
            throw TorchError.invalidArgument(
                "Only the memory of a contiguous tensor on the CPU can be looked at.")
        }
        let address = try address
        let size = count * (try dtype.byteCount)
        return try withExtendedLifetime(self) {
            try body(
                UnsafeMutableRawBufferPointer(start: address, count: address == nil ? 0 : size))
        }
    }

    /// The elements in row-major order, copied; from any device, converted to `Element`'s dtype.
    public func elements<Element: TensorElement>(as type: Element.Type = Element.self) throws
        -> [Element]
    {
        let plain = try converted(to: Element.dtype).moved(to: .cpu).contiguous()
        return try plain.withUnsafeBytes { bytes in
            Array(bytes.bindMemory(to: Element.self))
        }
    }

    // MARK: - Shapes

    /// Distances in elements between neighbours along each dimension of a tensor in row-major order.
    package static func contiguousStrides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] &* max(shape[axis + 1], 1)
        }
        return strides
    }

    /// Number of elements from the first to the last one in memory, or nil if it overflows or a
    /// stride is negative.
    static func reach(shape: [Int], strides: [Int]) -> Int? {
        guard shape.count == strides.count else { return nil }
        var reach = 1
        for (size, stride) in zip(shape, strides) {
            guard size > 0, stride >= 0 else { return nil }
            let (step, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, carried) = reach.addingReportingOverflow(step)
            guard !overflow, !carried else { return nil }
            reach = sum
        }
        return reach
    }

    static func checkedCount(of shape: [Int], dtype: DType) throws -> Int {
        var bytes = dtype.byteCount
        var count = 1
        for size in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(size, 1))
            guard size >= 0, !overflow else {
                throw TorchError.invalidArgument("\(shape) is not the shape of a tensor.")
            }
            bytes = product
            count *= size
        }
        return count
    }
}
