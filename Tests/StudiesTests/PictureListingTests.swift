import Foundation
import Studies
import TestSupport
import Testing

@Suite struct PictureListingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func make(_ paths: String...) throws {
        for path in paths {
            let url = URL(fileURLWithPath: folder.file(path))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data([1]).write(to: url)
        }
    }

    private func names() throws -> [String] {
        try PictureListing.pictures(under: folder.path, suffixes: [".png", ".jpg"]).map(\.name)
    }

    @Test func numbersCountAsNumbers() throws {
        try make(
            "p10.png", "p9.png", "p1.png", "p01.png", "p1a.png", "p.png", "q2/9.png", "q10/1.png")
        #expect(
            try names() == ["p", "p01", "p1", "p1a", "p9", "p10", "q2/9", "q10/1"])
    }

    @Test func foldersAreLookedThrough() throws {
        try make(
            "a.JPG", "b/c/d.png", "b/c.d/e.png", "notes.txt", "png", ".hidden.png", ".cache/f.png",
            "b/.g/h.png")
        #expect(try names() == ["a", "b/c/d", "b/c.d/e"])
        let pictures = try PictureListing.pictures(under: folder.path, suffixes: [".png"])
        #expect(pictures.map(\.path) == [folder.file("b/c/d.png"), folder.file("b/c.d/e.png")])
    }

    @Test func linksAreFollowedButNotInCircles() throws {
        try make("a/1.png", "outside.jpg")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.file("a/up"), withDestinationPath: folder.path)
        try files.createSymbolicLink(
            atPath: folder.file("a/2.jpg"), withDestinationPath: folder.file("outside.jpg"))
        #expect(try names() == ["a/1", "a/2", "outside"])
    }

    @Test func whatWouldShareANameIsRefused() throws {
        try make("a.png", "a.jpg")
        let error = #expect(throws: StudyError.self) { try names() }
        #expect("\(String(describing: error))".contains("a.jpg"))
        #expect(throws: StudyError.self) { try PictureListing.pictures(["x/1.png", "y/1.png"]) }
        let named = try PictureListing.pictures(["x/1.png", "y/1.png"], names: ["x1", "y1"])
        #expect(named.map(\.name) == ["x1", "y1"])
        #expect(throws: StudyError.self) { try PictureListing.pictures(["1.png"], names: []) }
        #expect(throws: StudyError.self) { try PictureListing.pictures([]) }
    }

    @Test func namesOfListsAreTheFilesOwn() throws {
        let paths = ["/a/b.c/photo.tar.png", "plain", ".png", "a.b/c"]
        #expect(
            try PictureListing.pictures(paths).map(\.name) == ["photo.tar", "plain", ".png", "c"])
    }

    @Test func emptyAndMissingFoldersAreNamed() throws {
        for path in [folder.path, folder.file("missing")] {
            let error = #expect(throws: StudyError.self) {
                try PictureListing.pictures(under: path, suffixes: [".png"])
            }
            #expect("\(String(describing: error))".contains(path))
        }
    }
}
