import Foundation
import ImageFiles
import Imaging
import TestSupport
import Testing

/// Files that no picture, or only half of one, can come of.
@Suite struct DamagedPictureTests {
    /// Wherever Pillow raises, reading throws; wherever Pillow makes a picture of what is
    /// left, reading makes the same or throws.
    @Test func aPictureCutShortAnywhereIsAnErrorOrThePicturePillowSees() throws {
        let folder = try TemporaryFolder()
        let answers = try Reference.run("damage", in: folder, answer: [String: [String?]].self)
        #expect(answers.count == 5)
        for (name, expectations) in answers {
            let bytes = try folder.read(name)
            #expect(expectations.count == bytes.count + 1)
            var accepted = 0
            for (length, expected) in expectations.enumerated() {
                let path = try folder.write(bytes.prefix(length), to: "cut-\(name)")
                do {
                    let image = try RGBImage(contentsOf: path)
                    let pixels = image.pixels.map { String(format: "%02x", $0) }.joined()
                    #expect(pixels == expected, "\(name) cut to \(length) of \(bytes.count) bytes")
                    accepted += 1
                } catch {
                    let isLast = length == bytes.count
                    #expect(!isLast, "\(name), whole: \(error)")
                    #expect(Self.path(of: error) == path)
                }
            }
            #expect(accepted >= 1, "\(name)")
        }
    }

    @Test func flippedBytesNeverCrash() throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("damage", in: folder)
        for name in ["small.png", "adam7.png", "baseline.jpg", "progressive.jpg", "cmyk.jpg"] {
            let bytes = try folder.read(name)
            for position in bytes.indices {
                var damaged = bytes
                damaged[position] ^= 0xFF
                let path = try folder.write(damaged, to: "flipped-\(name)")
                _ = try? RGBImage(contentsOf: path)
            }
        }
    }

    @Test func whatIsNotAPictureIsNamedAsSuch() throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("impostors", in: folder)
        let missing = folder.file("missing.png")
        #expect(
            throws: ImageFileError.unreadable(path: missing, reason: "No such file or directory")
        ) { try RGBImage(contentsOf: missing) }
        #expect(throws: ImageFileError.notAFile(path: folder.path)) {
            try RGBImage(contentsOf: folder.path)
        }
        let zero = folder.file("picture.gif\0.png")
        #expect(throws: ImageFileError.self) { try RGBImage(contentsOf: zero) }
        let empty = try folder.write([], to: "empty.png")
        #expect(throws: ImageFileError.empty(path: empty)) { try RGBImage(contentsOf: empty) }
        for path in [
            folder.file("picture.gif"), try folder.write(Array("hello".utf8), to: "text.png"),
            try folder.write([0x89], to: "short.png"),
            try folder.write([0xFF, 0xD8], to: "short.jpg"),
        ] {
            #expect(throws: ImageFileError.unsupportedFormat(path: path)) {
                try RGBImage(contentsOf: path)
            }
        }
        let description = ImageFileError.unsupportedFormat(path: "a/picture.gif").description
        #expect(description.contains("a/picture.gif") && description.contains("PNG, JPEG"))
    }

    @Test func enormousPicturesAreRefusedBeforeAnyMemoryIsTaken() throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("impostors", in: folder)
        for (name, width, height) in [
            ("enormous.png", 2_147_483_647, 2_147_483_647), ("over.png", 178_956_971, 1),
            ("enormous.jpg", 65_000, 65_000),
        ] {
            let path = folder.file(name)
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImageFileError.tooManyPixels(path: path, size: size)) {
                try RGBImage(contentsOf: path)
            }
        }
    }

    /// Both declare 169 million pixels, which are half a gigabyte.
    @Test(arguments: ["hollow.png", "hollow.jpg"])
    func aSmallFileWithALargePictureIsKnownToBeCutShort(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("impostors", in: folder)
        let path = folder.file(name)
        #expect(try folder.read(name).count < 1000)
        #expect(throws: ImageFileError.truncated(path: path)) { try RGBImage(contentsOf: path) }
    }

    @Test func thePicturesThatTakeTheFewestBytesAreRead() throws {
        let folder = try TemporaryFolder()
        try Reference.run("plain", in: folder)
        let names = try folder.contents()
        #expect(names.count == 7)
        for name in names {
            let image = try RGBImage(contentsOf: folder.file(name))
            #expect(image.size == PixelSize(width: 3000, height: 3000), "\(name)")
        }
    }

    @Test(arguments: ["crc-header.png", "crc-data.png", "crc-text.png"])
    func aWrongChecksumIsAnError(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("impostors", in: folder)
        let path = folder.file(name)
        let error = #expect(throws: ImageFileError.self) { try RGBImage(contentsOf: path) }
        guard case .undecodable(path, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("CRC error"))
    }

    private static func path(of error: ImageFileError) -> String {
        switch error {
        case .unreadable(let path, _), .notAFile(let path), .empty(let path),
            .unsupportedFormat(let path), .truncated(let path), .undecodable(let path, _),
            .tooManyPixels(let path, _), .invalidText(let path, _, _), .unwritable(let path, _):
            path
        }
    }
}
