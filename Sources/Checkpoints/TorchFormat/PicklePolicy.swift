import Torch

// What a pickle may do here. These two lists are the whole policy: what they lack is refused.

/// The opcodes allowed: those that `torch.save` writes for tensors, dictionaries and plain values
/// (pickle's protocol 2), and no other way to name or call anything than GLOBAL and REDUCE.
enum PickleOpcode: UInt8 {
    // The frame
    case proto = 0x80
    case stop = 0x2e

    // The stack and the memo
    case mark = 0x28
    case binput = 0x71
    case longBinput = 0x72
    case binget = 0x68
    case longBinget = 0x6a

    // Plain values
    case none = 0x4e
    case newTrue = 0x88
    case newFalse = 0x89
    case binint = 0x4a
    case binint1 = 0x4b
    case binint2 = 0x4d
    case long1 = 0x8a
    case binfloat = 0x47
    case binunicode = 0x58
    case shortBinstring = 0x55

    // Containers
    case emptyTuple = 0x29
    case tuple = 0x74
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case emptyList = 0x5d
    case append = 0x61
    case appends = 0x65
    case emptyDict = 0x7d
    case setitem = 0x73
    case setitems = 0x75

    // Names, calls, storages; each only as `PickleGlobal` and `PickleMachine` allow
    case global = 0x63
    case reduce = 0x52
    case build = 0x62
    case binpersid = 0x51
}

/// The names allowed.
enum PickleGlobal: Equatable {
    /// `(storage, offset, size, stride, requires_grad, hooks)` becomes a tensor.
    case rebuildTensor
    /// `(tensor, requires_grad, hooks)` becomes that tensor.
    case rebuildParameter
    /// `()` becomes an empty dictionary.
    case orderedDict
    /// The dtype of a storage; cannot be called.
    case storage(DType)

    static let allowed: [String: PickleGlobal] = {
        let globals = [rebuildTensor, rebuildParameter, orderedDict] + DType.allCases.map(storage)
        return Dictionary(
            globals.map { ($0.fullName, $0) }, uniquingKeysWith: { first, _ in first })
    }()

    /// The name in Python.
    var fullName: String { "\(module).\(name)" }

    var module: String {
        switch self {
        case .rebuildTensor, .rebuildParameter: "torch._utils"
        case .orderedDict: "collections"
        case .storage: "torch"
        }
    }

    /// The name in its module.
    var name: String {
        switch self {
        case .rebuildTensor: "_rebuild_tensor_v2"
        case .rebuildParameter: "_rebuild_parameter"
        case .orderedDict: "OrderedDict"
        case .storage(.float64): "DoubleStorage"
        case .storage(.float32): "FloatStorage"
        case .storage(.float16): "HalfStorage"
        case .storage(.bfloat16): "BFloat16Storage"
        case .storage(.int64): "LongStorage"
        case .storage(.int32): "IntStorage"
        case .storage(.int16): "ShortStorage"
        case .storage(.int8): "CharStorage"
        case .storage(.uint8): "ByteStorage"
        case .storage(.bool): "BoolStorage"
        }
    }
}
