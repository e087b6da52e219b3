import Files
import Glibc

/// What is where in the folder of a run.
///
///     settings.json           every setting, what is trained, and of which pictures
///     loss.csv, loss.png      the loss of each step, and its curve
///     checkpoint-000500/      all that the run goes on from
///     samples/000500.png      what the model could do then
///     model/                  the trained model in diffusers' layout
public struct RunFolder: Sendable {
    public let path: String

    public init(_ path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    public var settings: String { "\(path)/settings.json" }
    public var losses: String { "\(path)/loss.csv" }
    public var lossCurve: String { "\(path)/loss.png" }
    public var model: String { "\(path)/model" }
    public var samplesFolder: String { "\(path)/samples" }
    var lock: String { "\(path)/.lock" }

    public func samples(at step: Int) -> String { "\(samplesFolder)/\(Self.digits(step)).png" }
    public func checkpoint(at step: Int) -> String {
        "\(path)/\(Self.checkpointPrefix)\(Self.digits(step))"
    }

    private static let checkpointPrefix = "checkpoint-"

    /// The steps of which there are checkpoints, in order.
    public var checkpoints: [Int] {
        FolderContents.names(in: path).compactMap { name in
            guard name.hasPrefix(Self.checkpointPrefix) else { return nil }
            return Int(name.dropFirst(Self.checkpointPrefix.count))
        }.sorted()
    }

    /// Removes what killed runs left on its way. Only for who has the folder alone.
    func removeTemporaryFiles() {
        for folder in [path, samplesFolder] {
            for name in FolderContents.names(in: folder) where PendingFile.isTemporary(name) {
                let path = "\(folder)/\(name)"
                if unlink(path) != 0 { PendingFolder.remove(path) }
            }
        }
    }

    /// Removes everything that a run makes. Only for who has the folder alone.
    func removeRun() {
        // The settings last: without them the rest belongs to no run.
        for step in checkpoints { PendingFolder.remove(checkpoint(at: step)) }
        for folder in [samplesFolder, model] { PendingFolder.remove(folder) }
        for file in [losses, lossCurve, settings] { unlink(file) }
    }

    /// Six digits, so that names sort; more if needed.
    private static func digits(_ step: Int) -> String {
        let digits = String(step)
        return String(repeating: "0", count: max(6 - digits.count, 0)) + digits
    }
}
