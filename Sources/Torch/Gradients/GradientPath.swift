/// A way by which the gradient of an operation's result goes back to some of the operation's inputs.
///
/// Whatever `send` captures is kept until the gradient has passed: it should be what the derivative
/// needs and no more, the shape of a tensor rather than the tensor.
struct GradientPath {
    let targets: [Tensor?]
    /// From the gradient of the result, and which targets want theirs, to the gradient of each. Those
    /// have the target's shape and dtype.
    let send: (Tensor, [Bool]) throws -> [Tensor?]

    /// The way to one input.
    init(to target: Tensor, _ send: @escaping (Tensor) throws -> Tensor) {
        targets = [target]
        self.send = { gradient, _ in [try send(gradient)] }
    }

    /// The way to several inputs whose gradients are computed together.
    init(
        to targets: [Tensor?], _ send: @escaping (Tensor, _ wanted: [Bool]) throws -> [Tensor?]
    ) {
        self.targets = targets
        self.send = send
    }
}

extension Tensor {
    /// Self, the new result of an operation on `a`, `b` and `c`, with the ways back to them if one of
    /// them is recorded.
    func recorded(
        from a: Tensor, _ b: Tensor? = nil, _ c: Tensor? = nil,
        _ paths: () throws -> [GradientPath]
    ) throws -> Tensor {
        if a.trace == nil, b?.trace == nil, c?.trace == nil { return self }
        return try recorded(from: [a, b, c], paths)
    }

    /// Self, the new result of an operation on `inputs`, with the ways back to them if one of them is
    /// recorded.
    func recorded(from inputs: [Tensor?], _ paths: () throws -> [GradientPath]) throws -> Tensor {
        guard let tape = try GradientTape.recording(inputs) else { return self }
        tape.record(self, try paths())
        return self
    }

    /// Whether operations on this tensor are recorded now. What computes past this module's operations, by
    /// a kernel of its own, must not do so then: the gradient would be lost without a word.
    package var isRecorded: Bool { trace?.tape.isRecording ?? false }

    /// The same elements in the same memory, of which no tape knows: a constant to every gradient.
    public func detached() throws -> Tensor {
        try Tensor(
            owning: library.newHandle(of: self), memoryOwner: memoryOwner, in: library)
    }
}

/// What a gradient has in common with the tensor that it belongs to.
struct TensorForm {
    let shape: [Int]
    let dtype: DType
    let device: Device
}

extension Tensor {
    var form: TensorForm {
        get throws { TensorForm(shape: shape, dtype: try dtype, device: try device) }
    }

    /// The gradient of an operand from that of a result into which it was broadcast and promoted: the
    /// sum over all places where an element went.
    func fitted(to form: TensorForm) throws -> Tensor {
        let summed =
            shape == form.shape
            ? self : try library.call("sum_to_size", [.tensor(self), .ints(form.shape)])
        return try summed.converted(to: form.dtype).moved(to: form.device)
    }
}
