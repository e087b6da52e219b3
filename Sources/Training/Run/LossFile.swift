import Files
import Glibc

/// The loss of each step of a run, as a table that programs read: a row for each step, from 1 on.
///
/// Rows are added as steps are done. After a kill there may be more of them than the checkpoint knows;
/// those are dropped, and come again as they were.
final class LossFile {
    private static let header = "step,loss,learning_rate,gradient_norm"
    private let path: String
    private let descriptor: Int32
    /// Of each step so far.
    private(set) var losses: [Double]

    /// - Parameters:
    ///   - path: of the file; begun where it is missing.
    ///   - steps: the rows that are kept.
    /// - Throws: `TrainingError.damaged` if they are not all there; `ReadError`, `WriteError`.
    init(path: String, keeping steps: Int) throws {
        self.path = path
        let rows = steps == 0 ? [] : try Self.rows(at: path, count: steps)
        losses = rows.map(\.loss)
        let text = ([Self.header] + rows.map { String($0.line) }).joined(separator: "\n") + "\n"
        try AtomicFile.write(text.utf8, to: path)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw WriteError(path: path, reason: SystemError.words) }
    }

    deinit { close(descriptor) }

    private static func rows(
        at path: String, count: Int
    ) throws -> [(line: Substring, loss: Double)] {
        let text = String(decoding: try FileBytes.of(path), as: UTF8.self)
        let lines = text.split(separator: "\n").dropFirst().prefix(count)
        let rows = lines.enumerated().compactMap { index, line -> (Substring, Double)? in
            let cells = line.split(separator: ",")
            guard cells.count == 4, Int(cells[0]) == index + 1, let loss = Double(cells[1]) else {
                return nil
            }
            return (line, loss)
        }
        guard rows.count == count else {
            throw TrainingError.damaged(
                path: path, reason: "The rows of the first \(count) steps are not all there.")
        }
        return rows
    }

    /// - Throws: `WriteError`.
    func append(_ step: TrainingStep) throws {
        let row = "\(step.number),\(step.loss),\(step.learningRate),\(step.gradientNorm)\n"
        var rest = Array(row.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw WriteError(path: path, reason: SystemError.words) }
            rest = rest.dropFirst(count)
        }
        losses.append(step.loss)
    }

    /// Forces the rows to the disk, before a checkpoint relies on them.
    /// - Throws: `WriteError`.
    func synchronize() throws {
        guard fsync(descriptor) == 0 else {
            throw WriteError(path: path, reason: SystemError.words)
        }
    }
}
