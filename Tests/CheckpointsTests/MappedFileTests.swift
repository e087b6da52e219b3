import Foundation
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct MappedFileTests {
    @Test func givesTheBytesOfTheFile() throws {
        let scratch = try TemporaryFolder()
        let file = try MappedFile(path: scratch.write([1, 2, 3, 4], to: "a"))
        #expect(file.count == 4)
        #expect(try file.withBytes(in: 1..<3) { Array($0) } == [2, 3])
        #expect(try file.withBytes(in: 4..<4) { Array($0) } == [])
    }

    @Test(arguments: [-1..<2, 3..<5, 5..<5, Int.min..<0, 0..<Int.max, Int.max..<Int.max])
    func rangesOutsideAreRefused(range: Range<Int>) throws {
        let scratch = try TemporaryFolder()
        let file = try MappedFile(path: scratch.write([1, 2, 3, 4], to: "a"))
        #expect(throws: CheckpointError.self) { try file.withBytes(in: range) { $0.count } }
    }

    @Test func whatIsNoFileIsNamed() throws {
        let scratch = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("dangling"), withDestinationPath: "gone")
        #expect(mkfifo(scratch.file("pipe"), 0o600) == 0)
        for (path, words) in [
            (scratch.file("missing"), "No such file or directory"),
            (scratch.file("dangling"), "No such file or directory"),
            (scratch.path, "it is a folder"),
            (scratch.file("pipe"), "not a regular file"),
            (try scratch.write([], to: "empty"), "the file is empty"),
            (try scratch.write([1], to: "a") + "\0.safetensors", "not the name of a file"),
            ("", "not the name of a file"),
        ] {
            let error = try #require(throws: CheckpointError.self) { try MappedFile(path: path) }
            #expect("\(error)".contains(words), "\(error)")
        }
    }
}
