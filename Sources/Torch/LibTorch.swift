import CTorch
import Synchronization

/// The libtorch of this process, opened once and kept.
///
/// `@unchecked Sendable`: the table of functions never changes after `init`, and libtorch's
/// functions may be called from any thread.
public final class LibTorch: @unchecked Sendable {
    /// The functions of its stable C ABI.
    let functions: CTorchFunctions
    /// Where it was found, in words: a folder, or "this process".
    public let origin: String

    private init(functions: CTorchFunctions, origin: String) {
        self.functions = functions
        self.origin = origin
    }

    /// The version, such as (2, 13).
    public var version: (major: Int, minor: Int) {
        let packed = functions.aoti_torch_abi_version()
        return (Int(packed >> 56), Int(packed >> 48 & 0xff))
    }

    /// How many NVIDIA devices there are; -1 if this libtorch cannot use any.
    var cudaDeviceCount: Int { Int(ctorch_cuda_device_count()) }

    private static let opened = Mutex<LibTorch?>(nil)

    /// The process's libtorch; the first call looks for it (see `LibTorchSearch`) and opens it.
    ///
    /// - Parameter pythonFolder: the folder of libraries in the torch package of a Python that is
    ///   known to be in use. Without it, the Python of the active virtual environment or of `PATH`
    ///   is asked when the search comes to that.
    /// - Throws: `TorchError.libraryNotFound`, `.libraryTooOld`, or `.forked`.
    public static func shared(pythonFolder: String? = nil) throws -> LibTorch {
        guard !ctorch_was_forked() else { throw TorchError.forked }
        return try opened.withLock { opened in
            if let opened { return opened }
            let library = try LibTorchSearch(pythonFolder: pythonFolder).run(open: open)
            opened = library
            return library
        }
    }

    private static func open(_ place: LibTorchSearch.Place) -> LibTorchSearch.Outcome<LibTorch> {
        var functions: UnsafePointer<CTorchFunctions>?
        var message = [CChar](repeating: 0, count: 1024)
        let status = ctorch_open(place.folder, &functions, &message, message.count)
        let text = String(
            decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if let functions {
            return .opened(LibTorch(functions: functions.pointee, origin: place.description))
        }
        return status == CTORCH_TOO_OLD ? .tooOld(missing: text) : .notOpened(text)
    }
}
