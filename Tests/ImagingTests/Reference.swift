import Foundation
import TestSupport

/// Runs `reference.py`, which does with Pillow and numpy what the Swift code does itself.
enum Reference {
    /// The same for what reading does beyond decoding: orientation and transparency.
    static var reading: PythonReference { PythonReference("reading_reference.py") }

    private static var script: PythonReference { PythonReference("reference.py") }

    /// Runs one command of the script in `folder` and returns the JSON that it prints.
    @discardableResult
    static func run(_ command: String, in folder: TemporaryFolder) throws -> Data {
        try script.run([command, folder.path])
    }

    /// Runs one command of the script in `folder` and decodes its answer.
    static func run<Answer: Decodable>(
        _ command: String, in folder: TemporaryFolder, answer: Answer.Type
    ) throws -> Answer {
        try script.run(command, folder.path)
    }

    /// Hands `jobs` to one command of the script and returns the JSON that it prints.
    @discardableResult
    static func run(
        _ command: String, jobs: some Encodable, in folder: TemporaryFolder
    ) throws -> Data {
        try JSONEncoder().encode(jobs).write(to: URL(fileURLWithPath: folder.file("jobs.json")))
        return try run(command, in: folder)
    }
}
