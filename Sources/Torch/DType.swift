import CTorch

/// The type of a tensor's elements.
public enum DType: String, CaseIterable, Sendable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8, uint8, bool

    /// Size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Whether elements are real numbers rather than integers or truth values.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .int64, .int32, .int16, .int8, .uint8, .bool: false
        }
    }

    /// libtorch's number for this type.
    func code(in functions: CTorchFunctions) -> Int32 {
        switch self {
        case .float64: functions.aoti_torch_dtype_float64()
        case .float32: functions.aoti_torch_dtype_float32()
        case .float16: functions.aoti_torch_dtype_float16()
        case .bfloat16: functions.aoti_torch_dtype_bfloat16()
        case .int64: functions.aoti_torch_dtype_int64()
        case .int32: functions.aoti_torch_dtype_int32()
        case .int16: functions.aoti_torch_dtype_int16()
        case .int8: functions.aoti_torch_dtype_int8()
        case .uint8: functions.aoti_torch_dtype_uint8()
        case .bool: functions.aoti_torch_dtype_bool()
        }
    }

    init?(code: Int32, in functions: CTorchFunctions) {
        guard let match = Self.allCases.first(where: { $0.code(in: functions) == code }) else {
            return nil
        }
        self = match
    }
}

/// A Swift type whose values stand in a tensor's memory as they are.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var dtype: DType { get }
}

extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
