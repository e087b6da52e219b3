import Files
import TestSupport
import Testing

@testable import Hub

@Suite struct PartialBlobTests {
    private let content = [UInt8](repeating: 3, count: 1000)

    private var etag: String {
        var hash = SHA256()
        content.withUnsafeBytes { hash.add($0) }
        return hash.hexDigest
    }

    private func open(_ folder: TemporaryFolder, mayAdopt: Bool = true) throws -> PartialBlob {
        try PartialBlob(etag, in: folder.path, mayAdopt: mayAdopt) {}
    }

    private func append(_ range: Range<Int>, to blob: PartialBlob) throws {
        try Array(content[range]).withUnsafeBytes { try blob.append($0) }
    }

    @Test func whatWasLeftIsTakenUp() throws {
        let folder = try TemporaryFolder()
        try append(0..<400, to: open(folder))
        #expect(PartialBlob.size(of: etag, in: folder.path) == 400)
        let blob = try open(folder)
        #expect(blob.count == 400)
        #expect(blob.fault(expectedSize: 1000) != nil)
        try append(400..<1000, to: blob)
        #expect(blob.fault(expectedSize: 1000) == nil)
        try blob.finish()
        #expect(try folder.contents() == [etag])
        #expect(try folder.read(etag) == content)
    }

    @Test func whatHasNoHashIsNotTakenUp() throws {
        let folder = try TemporaryFolder()
        let first = try PartialBlob("abc", in: folder.path, mayAdopt: true) {}
        try append(0..<400, to: first)
        #expect(try PartialBlob("abc", in: folder.path, mayAdopt: true) {}.count == 0)
        #expect(!first.isResumable)
    }

    /// On file systems whose locks hold nobody off, two processes may write one file.
    @Test func whoeverTakesUpALivingOneDoesNoHarm() throws {
        let folder = try TemporaryFolder()
        let first = try open(folder)
        try append(0..<400, to: first)
        let second = try open(folder)
        #expect(second.count == 400)
        try append(400..<700, to: first)
        try append(400..<600, to: second)
        // What the first throws away, the second keeps.
        try first.restart()
        try append(600..<1000, to: second)
        #expect(second.fault(expectedSize: 1000) == nil)
        try second.finish()
        #expect(try folder.read(etag) == content)
        try append(0..<1000, to: first)
        try first.finish()
        #expect(try folder.read(etag) == content)
        #expect(try folder.contents() == [etag])
    }

    @Test func whatWasTakenIsNotFinished() throws {
        let folder = try TemporaryFolder()
        let first = try open(folder)
        try append(0..<1000, to: first)
        _ = try open(folder)
        #expect(throws: PartialBlob.Taken.self) { try first.finish() }
    }
}
