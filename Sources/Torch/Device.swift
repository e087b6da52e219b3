import CTorch

/// Where a tensor lives and is computed on.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    case cpu
    /// An NVIDIA device, numbered from 0.
    case cuda(index: Int)

    /// Parses torch's names: "cpu", "cuda", "cuda:1".
    /// - Throws: `TorchError.deviceUnavailable` if the name is none of these.
    public init(parsing name: String) throws {
        switch name {
        case "cpu":
            self = .cpu
        case "cuda":
            self = .cuda(index: 0)
        default:
            let digits = name.dropFirst("cuda:".count)
            guard name.hasPrefix("cuda:"), digits.allSatisfy(\.isASCIIDigit),
                let index = Int8(digits)
            else {
                throw TorchError.deviceUnavailable(
                    name: name, reason: "the known names are \"cpu\", \"cuda\" and \"cuda:N\".")
            }
            self = .cuda(index: Int(index))
        }
    }

    /// The first NVIDIA device if this libtorch and this machine have one, else the CPU.
    public static func best(in library: LibTorch) -> Device {
        library.cudaDeviceCount > 0 ? .cuda(index: 0) : .cpu
    }

    /// - Throws: `TorchError.deviceUnavailable` that says whether libtorch or the machine lacks it.
    public func checkAvailable(in library: LibTorch) throws {
        guard case .cuda(let index) = self else { return }
        let count = library.cudaDeviceCount
        guard index >= count else { return }
        let reason =
            switch count {
            case ..<0:
                "this PyTorch was built without CUDA. Pass \"cpu\", or install one with CUDA."
            case 0: "no NVIDIA driver or device was found. Pass \"cpu\"."
            default: "this machine has \(count) NVIDIA devices, numbered from 0."
            }
        throw TorchError.deviceUnavailable(name: description, reason: reason)
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        }
    }

    func typeCode(in functions: CTorchFunctions) -> Int32 {
        switch self {
        case .cpu: functions.aoti_torch_device_type_cpu()
        case .cuda: functions.aoti_torch_device_type_cuda()
        }
    }

    var index: Int32 {
        switch self {
        case .cpu: 0
        case .cuda(let index): Int32(truncatingIfNeeded: index)
        }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
