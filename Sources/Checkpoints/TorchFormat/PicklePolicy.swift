import Torch

// What a pickle may do here. These two tables are the whole policy: what they lack is refused.

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

    static let allowed: [String: PickleGlobal] = [
        "torch._utils._rebuild_tensor_v2": .rebuildTensor,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "collections.OrderedDict": .orderedDict,
        "torch.DoubleStorage": .storage(.float64),
        "torch.FloatStorage": .storage(.float32),
        "torch.HalfStorage": .storage(.float16),
        "torch.BFloat16Storage": .storage(.bfloat16),
        "torch.LongStorage": .storage(.int64),
        "torch.IntStorage": .storage(.int32),
        "torch.ShortStorage": .storage(.int16),
        "torch.CharStorage": .storage(.int8),
        "torch.ByteStorage": .storage(.uint8),
        "torch.BoolStorage": .storage(.bool),
    ]
}
