import CGPIDiffusion
import Checkpoints
import Diffusion
import Pipelines
import Files
import Glibc
import Imaging
import Studies
import Torch
import Training

/// The text of each thread's last error.
enum LastError {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    static func set(_ text: String) {
        free(pthread_getspecific(key))
        pthread_setspecific(key, strdup(text))
    }

    /// Borrowed until the next error of this thread; empty before the first one.
    static var text: UnsafePointer<CChar> {
        if let text = pthread_getspecific(key) {
            return UnsafePointer(text.assumingMemoryBound(to: CChar.self))
        }
        let empty: StaticString = ""
        return UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

/// Thrown where the caller's callback asked to stop.
struct Interrupted: Error {}

/// Runs `body` and turns what it throws into a status and the last error's text.
func reporting(_ body: () throws -> Void) -> gpi_status {
    do {
        try body()
        return GPI_OK
    } catch {
        let (status, text) = describe(error)
        LastError.set(text)
        return status
    }
}

private func describe(_ error: any Error) -> (gpi_status, String) {
    switch error {
    case is Interrupted, is CancellationError:
        return (GPI_INTERRUPTED, "The work was interrupted.")
    case let error as TorchError:
        switch error {
        case .libraryNotFound, .libraryTooOld: return (GPI_NO_LIBTORCH, "\(error)")
        case .deviceUnavailable, .invalidArgument: return (GPI_INVALID_ARGUMENT, "\(error)")
        case .forked, .operationFailed: return (GPI_TORCH_ERROR, "\(error)")
        }
    case let error as SchedulerError:
        return (GPI_INVALID_ARGUMENT, "\(error)")
    case let error as ConfigurationError:
        if case .notFound = error { return (GPI_NOT_FOUND, "\(error)") }
        return (GPI_BAD_FILE, "\(error)")
    case let error as CheckpointError:
        switch error {
        case .weightsNotFound: return (GPI_NOT_FOUND, "\(error)")
        case .cannotOpen: return (GPI_IO_ERROR, "\(error)")
        default: return (GPI_BAD_FILE, "\(error)")
        }
    case let error as WriteError:
        return (GPI_IO_ERROR, "\(error)")
    case let error as ReadError:
        return (error.isMissing ? GPI_NOT_FOUND : GPI_IO_ERROR, "\(error)")
    case let error as StudyError:
        switch error {
        case .invalidArgument, .otherSettings: return (GPI_INVALID_ARGUMENT, "\(error)")
        case .damaged: return (GPI_BAD_FILE, "\(error)")
        case .inUse, .noThread: return (GPI_IO_ERROR, "\(error)")
        case .failed: return (GPI_BAD_PICTURE, "\(error)")
        }
    case let error as TrainingError:
        switch error {
        case .invalidArgument, .otherSettings: return (GPI_INVALID_ARGUMENT, "\(error)")
        case .notFinite, .diverged: return (GPI_TORCH_ERROR, "\(error)")
        case .damaged: return (GPI_BAD_FILE, "\(error)")
        case .inUse: return (GPI_IO_ERROR, "\(error)")
        }
    case let error as PipelineError:
        switch error {
        case .invalidArgument: return (GPI_INVALID_ARGUMENT, "\(error)")
        case .notFinite: return (GPI_TORCH_ERROR, "\(error)")
        }
    case let error as ForeignCodec.Failure:
        return (GPI_BAD_PICTURE, "\(error)")
    case let error as ImagingError:
        return (GPI_BAD_PICTURE, "\(error)")
    default:
        return (GPI_TORCH_ERROR, "\(error)")
    }
}
