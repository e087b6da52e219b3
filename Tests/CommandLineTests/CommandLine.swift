import Foundation
import TestSupport

/// Runs the program `gpi-diffusion` as a person would.
enum CommandLine {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    static var model: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("python/demo_checkpoint").path
    }

    /// - Parameter through: what to run it by, such as a shell that gets it as its first argument.
    static func run(
        _ arguments: [String], in folder: TemporaryFolder, through: [String] = []
    ) throws -> Result {
        let (output, errors) = (folder.file("output.txt"), folder.file("errors.txt"))
        let process = try start(
            arguments, in: folder, through: through, output: output, errors: errors)
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    /// Starts it without waiting for its end.
    static func start(
        _ arguments: [String], in folder: TemporaryFolder, through: [String] = [],
        output: String = "/dev/null", errors: String = "/dev/null"
    ) throws -> Process {
        // Beside the tests themselves.
        let program = URL(fileURLWithPath: "/proc/self/exe")
            .resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("gpi-diffusion")
        let process = Process()
        process.executableURL = through.isEmpty ? program : URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = through.isEmpty ? arguments : through + [program.path] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        // Many small processes at once: torch's threads would wait for each other's.
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"])
        {
            $1
        }
        // Files, which never fill up as pipes do.
        for path in [output, errors] where path != "/dev/null" {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        return process
    }
}
