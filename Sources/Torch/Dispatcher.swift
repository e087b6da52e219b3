import CTorch

/// One argument of an operator, as libtorch's dispatcher takes it.
///
/// The dispatcher has no `Scalar`: operators that want one are called by a shim of their own, or
/// with a tensor of no dimensions.
enum Argument {
    case tensor(Tensor)
    case optionalTensor(Tensor?)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case ints([Int])
    case optionalInts([Int])
    case bools([Bool])
    case tensors([Tensor])
    case dtype(DType)
    case optionalDType(DType)
    case optionalDevice(Device)
    case memoryFormat(MemoryFormat)
    case optionalMemoryFormat(MemoryFormat)
    /// An optional argument that is not given.
    case none
}

/// The order in which a tensor's elements stand in memory.
public enum MemoryFormat: Sendable {
    case contiguous
    /// `[N, C, H, W]` stored as N, H, W, C.
    case channelsLast
    case preserve

    func code(in functions: CTorchFunctions) -> Int32 {
        switch self {
        case .contiguous: functions.aoti_torch_memory_format_contiguous_format()
        case .channelsLast: functions.aoti_torch_memory_format_channels_last()
        case .preserve: functions.aoti_torch_memory_format_preserve_format()
        }
    }
}

extension LibTorch {
    /// The schemas that the calls here are written against: libtorch 2.10's. A newer libtorch
    /// translates where a schema has changed since.
    private static let schemaVersion: UInt64 = 2 << 56 | 10 << 48

    /// Calls an operator that returns one tensor.
    func call(
        _ name: String, overload: String = "", memoryOwner: AnyObject? = nil,
        _ arguments: [Argument]
    ) throws -> Tensor {
        let results = try call(name, overload: overload, arguments, returning: 1)
        return try Tensor(
            owning: unwrap(results.first.flatMap { $0 }, name), memoryOwner: memoryOwner, in: self)
    }

    /// Calls an operator that returns several tensors, or none.
    ///
    /// - Parameter wanted: for each of them whether it is wanted. One that is not may be undefined.
    /// - Returns: as many as `wanted` has; nil for those that are not.
    func call(
        _ name: String, overload: String = "", _ arguments: [Argument], returning wanted: [Bool]
    ) throws -> [Tensor?] {
        let handles = try call(name, overload: overload, arguments, returning: wanted.count)
        var results: [Tensor?] = []
        var failure: (any Error)?
        // Every handle is owned here, whatever becomes of the others.
        for (handle, isWanted) in zip(handles, wanted) {
            do {
                let handle = try unwrap(handle, name)
                if isWanted {
                    results.append(try Tensor(owning: handle, in: self))
                } else {
                    _ = functions.aoti_torch_delete_tensor_object(handle)
                    results.append(nil)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return results
    }

    /// Calls an operator and gives the handles of the tensors that it returns, each to be owned.
    private func call(
        _ name: String, overload: String, _ arguments: [Argument], returning count: Int
    ) throws -> [AtenTensorHandle?] {
        try Interruption.check()
        // Operators of models run without gradients; the switch is the thread's, so it is put back.
        let recording = functions.aoti_torch_grad_mode_is_enabled()
        if recording { functions.aoti_torch_grad_mode_set_enabled(false) }
        defer { if recording { functions.aoti_torch_grad_mode_set_enabled(true) } }

        // The dispatcher consumes what stands on the stack, so every handle there is a new one.
        var stack = try arguments.map(stackValue)
        while stack.count < count { stack.append(0) }
        let status = functions.torch_call_dispatcher(
            "aten::\(name)", overload, &stack, Self.schemaVersion)
        try check(status, name)
        return stack.prefix(count).map { OpaquePointer(bitPattern: UInt(truncatingIfNeeded: $0)) }
    }

    // MARK: - Values on the stack

    private func stackValue(_ argument: Argument) throws -> StableIValue {
        switch argument {
        case .tensor(let tensor): try reference(to: tensor)
        case .optionalTensor(let tensor): try tensor.map { try optional(reference(to: $0)) } ?? 0
        case .int(let value): StableIValue(bitPattern: Int64(value))
        case .double(let value): value.bitPattern
        case .bool(let value): value ? 1 : 0
        case .ints(let values): try list(values)
        case .optionalInts(let values): try optional(list(values))
        case .bools(let values): try list(values.map { $0 ? 1 : 0 })
        case .tensors(let tensors): try list(tensors.map(reference))
        case .dtype(let dtype): small(dtype.code(in: functions))
        case .optionalDType(let dtype): try optional(small(dtype.code(in: functions)))
        case .optionalDevice(let device):
            try optional(
                small(device.typeCode(in: functions)) << 32 | small(device.index))
        case .memoryFormat(let format): small(format.code(in: functions))
        case .optionalMemoryFormat(let format): try optional(small(format.code(in: functions)))
        case .none: 0
        }
    }

    private func small(_ value: Int32) -> StableIValue {
        StableIValue(UInt32(bitPattern: value))
    }

    /// A new handle of the tensor, to be owned.
    func newHandle(of tensor: Tensor) throws -> AtenTensorHandle {
        var handle: AtenTensorHandle?
        try withExtendedLifetime(tensor) {
            try check(
                functions.aoti_torch_new_tensor_handle(tensor.handle, &handle), "new_tensor_handle")
        }
        return try unwrap(handle, "new_tensor_handle")
    }

    private func reference(to tensor: Tensor) throws -> StableIValue {
        try StableIValue(UInt(bitPattern: newHandle(of: tensor)))
    }

    private func list(_ values: [Int]) throws -> StableIValue {
        try list(values.map { StableIValue(bitPattern: Int64($0)) })
    }

    private func list(_ values: [StableIValue]) throws -> StableIValue {
        var handle: StableListHandle?
        try check(functions.torch_new_list_reserve_size(values.count, &handle), "new_list")
        let list = try unwrap(handle, "new_list")
        do {
            for value in values {
                try check(functions.torch_list_push_back(list, value), "list_push_back")
            }
        } catch {
            _ = functions.torch_delete_list(list)
            throw error
        }
        return StableIValue(UInt(bitPattern: list))
    }

    /// An optional that has a value is a pointer to it, in memory that libtorch deletes.
    private func optional(_ value: StableIValue) throws -> StableIValue {
        var pointer: UnsafeMutablePointer<StableIValue>?
        if let new = functions.torch_new_stable_ivalue {
            try check(new(&pointer), "new_stable_ivalue")
        } else {
            pointer = functions.operator_new(MemoryLayout<StableIValue>.size)?
                .bindMemory(to: StableIValue.self, capacity: 1)
        }
        let memory = try unwrap(pointer, "new_stable_ivalue")
        memory.pointee = value
        return StableIValue(UInt(bitPattern: memory))
    }

    // MARK: - Statuses

    /// - Throws: `TorchError.operationFailed` with libtorch's own words if `status` is not success.
    func check(_ status: AOTITorchError, _ name: String) throws {
        guard status != 0 else { return }
        let words = functions.torch_exception_get_what_without_backtrace?()
            // Past the first line libtorch lists every kernel that it knows.
            .map { String(String(cString: $0).prefix { $0 != "\n" }) }
        throw TorchError.operationFailed(
            name: name,
            message: words
                ?? "this libtorch (before 2.13) keeps its reason to itself; it is on standard error."
        )
    }

    /// A handle that libtorch reported as made, or the error that it is none after all.
    func unwrap<Handle>(_ handle: Handle?, _ name: String) throws -> Handle {
        guard let handle else {
            throw TorchError.operationFailed(name: name, message: "it returned nothing.")
        }
        return handle
    }
}
