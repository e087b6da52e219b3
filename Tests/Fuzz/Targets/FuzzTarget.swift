import Checkpoints
import Diffusion
import ImageFiles

/// One kind of file from strangers, and what reads it.
struct FuzzTarget: Sendable {
    let name: String
    /// Reads a file of these bytes. May throw.
    let read: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] =
        CheckpointTargets.all + ConfigurationTargets.all + [TokenizerTarget.target]
        + PictureTargets.all

    /// Reads the bytes, and says what is wrong with the reading. Whatever is worse than an error
    /// ends the process.
    func fault(on bytes: UnsafeRawBufferPointer) -> String? {
        do {
            try read(bytes)
            return nil
        } catch let fault as Fault {
            return "\(name): \(fault)"
        } catch is CheckpointError, is ConfigurationError, is SchedulerError, is ImageFileError {
            return nil
        } catch {
            return "\(name): an error of an unexpected type: \(error)"
        }
    }
}

/// A promise that a reader broke.
struct Fault: Error, CustomStringConvertible {
    let description: String

    static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws {
        guard condition else { throw Fault(description: description()) }
    }
}
