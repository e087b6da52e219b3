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

    static func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Result {
        let process = Process()
        // Beside the tests themselves.
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
            .resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("gpi-diffusion")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        // Files, which never fill up as pipes do.
        let (output, errors) = (folder.file("output.txt"), folder.file("errors.txt"))
        for path in [output, errors] {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}
