import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct PendingFolderTests {
    private let scratch: TemporaryFolder

    init() throws {
        scratch = try TemporaryFolder()
    }

    private struct Failure: Error, Equatable {}

    private func write(_ text: String, to name: String, replacing: Bool = false) throws {
        try PendingFolder.write(to: scratch.file(name), replacing: replacing) { folder in
            try PendingFolder.make("\(folder)/part")
            try AtomicFile.write(text.utf8, to: "\(folder)/part/file")
        }
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try scratch.read("\(name)/part/file"), as: UTF8.self)
    }

    @Test(arguments: ["a", "a/", "new/folders/a", "./a", "a//"])
    func aFolderIsWritten(name: String) throws {
        try write("one", to: name)
        #expect(try text(name) == "one")
        #expect(try !scratch.contents().contains(where: PendingFile.isTemporary))
    }

    @Test func untilItIsWholeItsNameStandsForNothing() throws {
        let path = scratch.file("a")
        try PendingFolder.write(to: path) { folder in
            try AtomicFile.write("one".utf8, to: "\(folder)/file")
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try scratch.contents().allSatisfy(PendingFile.isTemporary))
        }
        #expect(try scratch.contents() == ["a"])
    }

    @Test func afterAFailureNothingIsLeft() throws {
        #expect(throws: Failure()) {
            try PendingFolder.write(to: scratch.file("a")) { folder in
                try PendingFolder.make("\(folder)/b/c")
                try AtomicFile.write("one".utf8, to: "\(folder)/b/c/file")
                throw Failure()
            }
        }
        #expect(try scratch.contents().isEmpty)
    }

    @Test func whatIsThereIsReplacedOnlyWhenAsked() throws {
        try write("one", to: "a")
        #expect(throws: OccupiedPath(path: scratch.file("a"))) { try write("two", to: "a") }
        #expect(try text("a") == "one")

        #expect(throws: Failure()) {
            try PendingFolder.write(to: scratch.file("a"), replacing: true) { _ in throw Failure() }
        }
        #expect(try text("a") == "one")

        // A link in it is removed; what it points to is not.
        try scratch.write("kept".utf8, to: "kept")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("a/link"), withDestinationPath: scratch.path)
        try write("two", to: "a", replacing: true)
        #expect(try text("a") == "two")
        #expect(try scratch.contents() == ["a", "kept"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("a")) == ["part"])
    }

    @Test func anEmptyFolderIsNoObstacleAndAFileIs() throws {
        try FileManager.default.createDirectory(
            atPath: scratch.file("empty"), withIntermediateDirectories: false)
        try write("one", to: "empty")
        #expect(try text("empty") == "one")

        try scratch.write("file".utf8, to: "file")
        for replacing in [false, true] {
            #expect(throws: OccupiedPath(path: scratch.file("file"))) {
                try write("one", to: "file", replacing: replacing)
            }
        }
        #expect(try scratch.contents() == ["empty", "file"])
    }

    @Test func whatIsNoNewFolderIsRefused() throws {
        for path in ["", "/", ".", "..", scratch.file(".."), "a\0b"] {
            #expect(throws: WriteError.self) { try PendingFolder.write(to: path) { _ in } }
        }
        try scratch.write("file".utf8, to: "file")
        #expect(throws: WriteError.self) { try write("one", to: "file/a") }
        #expect(try scratch.contents() == ["file"])
    }
}
