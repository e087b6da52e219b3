import CTorch

// The same elements in another shape, order, dtype or place. Views share memory with their source.

extension Tensor {
    /// The elements in row-major order under another shape; one size may be -1. A view where possible.
    public func reshaped(_ shape: [Int]) throws -> Tensor {
        try view("reshape", [.tensor(self), .ints(shape)])
    }

    /// Dimensions in another order: `permuted([0, 2, 3, 1])` turns `[N, C, H, W]` into `[N, H, W, C]`.
    public func permuted(_ order: [Int]) throws -> Tensor {
        try view("permute", [.tensor(self), .ints(order)])
    }

    /// Two dimensions exchanged. Negative numbers count from the last.
    public func transposed(_ first: Int, _ second: Int) throws -> Tensor {
        try view("transpose", overload: "int", [.tensor(self), .int(first), .int(second)])
    }

    /// `length` entries of a dimension from `start` on.
    public func narrowed(dimension: Int, start: Int, length: Int) throws -> Tensor {
        var result: AtenTensorHandle?
        try library.check(
            library.functions.aoti_torch_aten_narrow(
                handle, Int64(dimension), Int64(start), Int64(length), &result), "narrow")
        return try Tensor(
            owning: library.unwrap(result, "narrow"), memoryOwner: memoryOwner, in: library)
    }

    /// A dimension cut into `count` parts of equal size.
    /// - Throws: `TorchError.invalidArgument` if it cannot be.
    public func split(into count: Int, dimension: Int) throws -> [Tensor] {
        guard shape.indices.contains(dimension), count > 0, shape[dimension] % count == 0 else {
            throw TorchError.invalidArgument(
                "Dimension \(dimension) of shape \(shape) cannot be split into \(count) equal parts."
            )
        }
        let length = shape[dimension] / count
        return try (0..<count).map {
            try narrowed(dimension: dimension, start: $0 * length, length: length)
        }
    }

    /// Tensors behind each other along a dimension; their other sizes are equal.
    public static func concatenated(_ tensors: [Tensor], dimension: Int) throws -> Tensor {
        guard let first = tensors.first else {
            throw TorchError.invalidArgument("There are no tensors to concatenate.")
        }
        return try first.library.call("cat", [.tensors(tensors), .int(dimension)])
    }

    /// Itself if its elements stand in the order of `format`, else a copy that does.
    public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
        try view("contiguous", [.tensor(self), .memoryFormat(format)])
    }

    /// Itself if it has that dtype, else a rounded copy.
    public func converted(to dtype: DType) throws -> Tensor {
        guard try self.dtype != dtype else { return self }
        return try library.call(
            "to", overload: "dtype",
            [.tensor(self), .dtype(dtype), .bool(false), .bool(false), .none])
    }

    /// Itself if it is there, else a copy on that device.
    public func moved(to device: Device) throws -> Tensor {
        guard try self.device != device else { return self }
        return try library.call(
            "_to_copy",
            [
                .tensor(self), .none, .none, .optionalDevice(device), .none, .bool(false), .none,
            ])
    }

    /// A copy in memory of its own, in row-major order.
    public func cloned() throws -> Tensor {
        try library.call("clone", [.tensor(self), .optionalMemoryFormat(.contiguous)])
    }

    /// Zeros around the last two dimensions: `left`, `right`, `top`, `bottom`, as
    /// `torch.nn.functional.pad` takes them.
    public func zeroPadded(left: Int, right: Int, top: Int, bottom: Int) throws -> Tensor {
        var result: AtenTensorHandle?
        let pad = [left, right, top, bottom].map(Int64.init)
        try library.check(
            library.functions.aoti_torch_aten_pad(
                handle, pad, Int64(pad.count), "constant", nil, &result), "pad")
        return try Tensor(owning: library.unwrap(result, "pad"), in: library)
    }

    /// An operator whose result may share this tensor's memory, and so keeps the owner of that.
    private func view(_ name: String, overload: String = "", _ arguments: [Argument]) throws
        -> Tensor
    {
        try library.call(name, overload: overload, memoryOwner: memoryOwner, arguments)
    }
}
