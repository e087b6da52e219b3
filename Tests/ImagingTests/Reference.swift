import Foundation

/// Runs `reference.py`, which does with Pillow and numpy what the Swift code does itself.
enum Reference {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs one command of the script in `folder` and returns the JSON it prints.
    static func run(_ command: String, in folder: TemporaryFolder) throws -> Data {
        let process = Process()
        process.executableURL = try interpreter()
        process.arguments = [script.path, command, folder.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "reference.py \(command) failed; its message is above")
        }
        return data
    }

    /// Runs one command of the script in `folder` and decodes its answer.
    static func run<Answer: Decodable>(
        _ command: String, in folder: TemporaryFolder, answer: Answer.Type = Answer.self
    ) throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: run(command, in: folder))
    }

    /// Hands `jobs` to one command of the script and returns the JSON it prints.
    @discardableResult
    static func run(
        _ command: String, jobs: some Encodable, in folder: TemporaryFolder
    ) throws -> Data {
        try JSONEncoder().encode(jobs).write(to: URL(fileURLWithPath: folder.file("jobs.json")))
        return try run(command, in: folder)
    }

    private static let testFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let script = testFolder.appendingPathComponent("reference.py")

    private static func interpreter() throws -> URL {
        let package = testFolder.deletingLastPathComponent().deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["GPI_TEST_PYTHON"]
            ?? package.appendingPathComponent(".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(
                description:
                    "no Python interpreter at \(path) to compute the expected values with; "
                    + "run `make test`, which sets one up, or name one in GPI_TEST_PYTHON")
        }
        return URL(fileURLWithPath: path)
    }
}
