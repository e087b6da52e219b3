import Foundation

/// A Python script beside the tests that computes with the real reference what they compare with.
public struct PythonReference {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let script: URL

    /// - Parameters:
    ///   - script: the script's name.
    ///   - file: a file in the same folder: the caller's.
    public init(_ script: String, beside file: String = #filePath) {
        self.script = URL(fileURLWithPath: file).deletingLastPathComponent()
            .appendingPathComponent(script)
    }

    /// Runs the script and returns what it prints. What it says on standard error is shown.
    @discardableResult
    public func run(_ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = try Self.interpreter()
        process.arguments = [script.path] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                description:
                    "\(script.lastPathComponent) \(arguments.joined(separator: " ")) failed; "
                    + "its message is above.")
        }
        return data
    }

    /// Runs the script and decodes the JSON that it prints.
    public func run<Answer: Decodable>(
        _ arguments: String..., answer: Answer.Type = Answer.self
    ) throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: run(arguments))
    }

    /// The Python of `GPI_TEST_PYTHON`, else of the virtual environment that `make test` sets up.
    public static func interpreter() throws -> URL {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["GPI_TEST_PYTHON"]
            ?? package.appendingPathComponent(".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(
                description:
                    "No Python interpreter at \(path) to compute the expected values with. "
                    + "Run `make test`, which sets one up, or name one in GPI_TEST_PYTHON.")
        }
        return URL(fileURLWithPath: path)
    }
}
