/// What can go wrong between this program and libtorch.
public enum TorchError: Error, Equatable, CustomStringConvertible {
    /// No usable libtorch; `attempts` says where was looked and what was found there.
    case libraryNotFound(attempts: [String])
    /// A libtorch was found that lacks a function which libtorch has since 2.10.
    case libraryTooOld(folder: String, missing: String)
    /// The process was forked after libtorch was opened. Its threads do not survive that.
    case forked
    /// libtorch refused an operation; `message` has its own words.
    case operationFailed(name: String, message: String)
    /// A device name that is none, or a device that this machine or this libtorch lacks.
    case deviceUnavailable(name: String, reason: String)
    /// A shape, a count or a dtype that does not fit; the text says which.
    case invalidArgument(String)

    public var description: String {
        switch self {
        case .libraryNotFound(let attempts):
            let looked = attempts.map { "\n  - \($0)" }.joined()
            return """
                libtorch was not found. Install PyTorch 2.10 or newer (pip install "torch>=2.10"), or set \
                LIBTORCH to the folder that holds libtorch_cpu.so. Looked at:\(looked)
                """
        case .libraryTooOld(let folder, let missing):
            return """
                The libtorch in \(folder) is too old: it lacks \(missing). Version 2.10 or newer is needed \
                (pip install --upgrade "torch>=2.10").
                """
        case .forked:
            return """
                This process was forked after libtorch had been opened, and libtorch's threads do not survive \
                a fork. Start worker processes by spawn instead (in Python: \
                multiprocessing.get_context("spawn")).
                """
        case .operationFailed(let name, let message):
            return "libtorch's \(name) failed: \(message)"
        case .deviceUnavailable(let name, let reason):
            return "device: \"\(name)\" cannot be used: \(reason)"
        case .invalidArgument(let text):
            return text
        }
    }
}
