import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct AtomicFileTests {
    private struct Stop: Error {}

    @Test func writesAndReplaces() throws {
        let scratch = try TemporaryFolder()
        for content in [[1, 2, 3], [], [4]] as [[UInt8]] {
            try AtomicFile.write(content, to: scratch.file("a"))
            #expect(try bytes(ofFile: scratch.file("a")) == content)
        }
        #expect(try scratch.contents() == ["a"])
    }

    @Test func takesTheLongestName() throws {
        let scratch = try TemporaryFolder()
        let name = String(repeating: "x", count: 255)
        try AtomicFile.write([1], to: scratch.file(name))
        #expect(try scratch.contents() == [name])
    }

    @Test func theNameIsTakenOnlyAtTheEnd() throws {
        let scratch = try TemporaryFolder()
        try AtomicFile.write([1], to: scratch.file("a"))
        try AtomicFile.write(to: scratch.file("a")) { file in
            try [2].withUnsafeBytes { try file.append($0) }
            #expect(try bytes(ofFile: scratch.file("a")) == [1])
            #expect(try scratch.contents().count == 2)
        }
    }

    @Test func aFailureInTheMiddleLeavesTheOldFileAndNothingElse() throws {
        let scratch = try TemporaryFolder()
        try AtomicFile.write([1], to: scratch.file("a"))
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: scratch.file("a")) { file in
                try [UInt8](repeating: 2, count: 100_000).withUnsafeBytes { try file.append($0) }
                throw Stop()
            }
        }
        #expect(try bytes(ofFile: scratch.file("a")) == [1])
        #expect(try scratch.contents() == ["a"])
    }

    @Test func placesThatCannotBeWrittenAreNamedWithTheSystemsWords() throws {
        let scratch = try TemporaryFolder()
        try AtomicFile.write([1], to: scratch.file("file"))
        try FileManager.default.createDirectory(
            atPath: scratch.file("folder/inside"), withIntermediateDirectories: true)
        for (path, words) in [
            (scratch.file("missing/a"), "No such file or directory"),
            (scratch.file("file/a"), "Not a directory"),
            (scratch.file("folder"), "Is a directory"),
            (scratch.file("folder/"), "not the name of a file"),
            (scratch.file("a\0b"), "not the name of a file"),
            ("", "not the name of a file"),
            (scratch.file(String(repeating: "x", count: 256)), "File name too long"),
        ] {
            let error = try #require(throws: WriteError.self) {
                try AtomicFile.write([2], to: path)
            }
            #expect("\(error)".contains(words), "\(error)")
            if path.contains("/") && !path.utf8.contains(0) { #expect("\(error)".contains(path)) }
        }
        #expect(try scratch.contents() == ["file", "folder"])
    }

    /// In a process of its own, whose limit on file sizes stands for a full disk.
    @Test func aFullDiskIsAnErrorAndLeavesNothing() async {
        await #expect(processExitsWith: .success) {
            let scratch = try TemporaryFolder()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1000, rlim_max: 1000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let error = try #require(throws: WriteError.self) {
                try AtomicFile.write([UInt8](repeating: 1, count: 2000), to: scratch.file("a"))
            }
            try #require("\(error)".contains("File too large"))
            try #require(try scratch.contents() == [])
        }
    }
}
