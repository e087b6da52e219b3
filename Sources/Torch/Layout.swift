import CTorch

// The same elements in another shape, order, dtype or place. Views share memory with their source.

extension Tensor {
    /// The elements in row-major order under another shape; one size may be -1. A view where possible.
    public func reshaped(_ shape: [Int]) throws -> Tensor {
        try view("reshape", [.tensor(self), .ints(shape)]).recorded(from: self) {
            let before = self.shape
            return [GradientPath(to: self) { try $0.reshaped(before) }]
        }
    }

    /// Dimensions in another order: `permuted([0, 2, 3, 1])` turns `[N, C, H, W]` into `[N, H, W, C]`.
    public func permuted(_ order: [Int]) throws -> Tensor {
        try view("permute", [.tensor(self), .ints(order)]).recorded(from: self) {
            let order = order.map { $0 < 0 ? $0 + order.count : $0 }
            let back = order.indices.map { place in order.firstIndex(of: place) ?? place }
            return [GradientPath(to: self) { try $0.permuted(back) }]
        }
    }

    /// Two dimensions exchanged. Negative numbers count from the last.
    public func transposed(_ first: Int, _ second: Int) throws -> Tensor {
        try view("transpose", overload: "int", [.tensor(self), .int(first), .int(second)])
            .recorded(from: self) { [GradientPath(to: self) { try $0.transposed(first, second) }] }
    }

    /// `length` entries of a dimension from `start` on.
    public func narrowed(dimension: Int, start: Int, length: Int) throws -> Tensor {
        var result: AtenTensorHandle?
        try library.check(
            library.functions.aoti_torch_aten_narrow(
                handle, Int64(dimension), Int64(start), Int64(length), &result), "narrow")
        return try Tensor(
            owning: library.unwrap(result, "narrow"), memoryOwner: memoryOwner, in: library
        )
        .recorded(from: self) {
            let sizes = shape
            // A negative start counts from the end.
            let size = dimension < 0 ? sizes[sizes.count + dimension] : sizes[dimension]
            let first = start < 0 ? size + start : start
            return [
                GradientPath(to: self) {
                    try $0.library.call(
                        "slice_backward",
                        [
                            .tensor($0), .ints(sizes), .int(dimension), .int(first),
                            .int(first + length), .int(1),
                        ])
                }
            ]
        }
    }

    /// Broadcast to a larger shape: dimensions of size 1 are repeated, new ones come first. A view.
    public func expanded(to shape: [Int]) throws -> Tensor {
        try view("expand", [.tensor(self), .ints(shape), .bool(false)]).recorded(from: self) {
            let form = try form
            return [GradientPath(to: self) { try $0.fitted(to: form) }]
        }
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
        let result = try first.library.call("cat", [.tensors(tensors), .int(dimension)])
        guard tensors.contains(where: { $0.trace != nil }) else { return result }
        return try result.recorded(from: tensors) {
            let axis = dimension < 0 ? dimension + result.shape.count : dimension
            var start = 0
            return try tensors.compactMap { tensor in
                // torch still lets an empty list of any rank join.
                guard tensor.shape != [0] else { return nil }
                defer { start += tensor.shape[axis] }
                let (form, first) = (try tensor.form, start)
                return GradientPath(to: tensor) {
                    try $0.narrowed(dimension: axis, start: first, length: form.shape[axis])
                        .fitted(to: form)
                }
            }
        }
    }

    /// Itself if its elements stand in the order of `format`, else a copy that does.
    public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
        try view("contiguous", [.tensor(self), .memoryFormat(format)]).recorded(from: self) {
            [GradientPath(to: self) { $0 }]
        }
    }

    /// Itself if it has that dtype, else a rounded copy.
    public func converted(to dtype: DType) throws -> Tensor {
        let before = try self.dtype
        guard before != dtype else { return self }
        return try library.call(
            "to", overload: "dtype",
            [.tensor(self), .dtype(dtype), .bool(false), .bool(false), .none]
        )
        .recorded(from: self) { [GradientPath(to: self) { try $0.converted(to: before) }] }
    }

    /// Itself if it is there, else a copy on that device.
    public func moved(to device: Device) throws -> Tensor {
        let before = try self.device
        guard before != device else { return self }
        return try library.call(
            "_to_copy",
            [
                .tensor(self), .none, .none, .optionalDevice(device), .none, .bool(false), .none,
            ]
        )
        .recorded(from: self) { [GradientPath(to: self) { try $0.moved(to: before) }] }
    }

    /// A copy in memory of its own, in row-major order.
    public func cloned() throws -> Tensor {
        try library.call("clone", [.tensor(self), .optionalMemoryFormat(.contiguous)])
            .recorded(from: self) { [GradientPath(to: self) { $0 }] }
    }

    /// Zeros around the last two dimensions: `left`, `right`, `top`, `bottom`, as
    /// `torch.nn.functional.pad` takes them.
    public func zeroPadded(left: Int, right: Int, top: Int, bottom: Int) throws -> Tensor {
        var result: AtenTensorHandle?
        let pad = [left, right, top, bottom].map(Int64.init)
        try library.check(
            library.functions.aoti_torch_aten_pad(
                handle, pad, Int64(pad.count), "constant", nil, &result), "pad")
        return try Tensor(owning: library.unwrap(result, "pad"), in: library).recorded(from: self) {
            [
                // Padding by less than nothing cuts off.
                GradientPath(to: self) {
                    try $0.zeroPadded(left: -left, right: -right, top: -top, bottom: -bottom)
                }
            ]
        }
    }

    /// An operator whose result may share this tensor's memory, and so keeps the owner of that.
    private func view(_ name: String, overload: String = "", _ arguments: [Argument]) throws
        -> Tensor
    {
        try library.call(name, overload: overload, memoryOwner: memoryOwner, arguments)
    }
}
