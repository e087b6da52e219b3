import Foundation
import Glibc
import ImageFiles
import Imaging
import TestSupport
import Testing

/// Writing, read back by the Pillow that is installed.
@Suite struct PNGWritingTests {
    private struct Written: Decodable {
        let mode: String
        let text: [String: String]
    }

    @Test func pillowReadsBackThePixelsAndTexts() throws {
        let folder = try TemporaryFolder()
        let text = [
            "Title": "China", "prompt": "a temple\nat dusk", "Autor": "Jörg", "Größe": "groß",
            "Unicode": "寺院 🏯", "Empty": "",
        ]
        for (width, height) in [(1, 1), (3, 5), (512, 288), (1, 700)] {
            let image = try RGBImage.noise(width, height)
            try image.writePNG(to: folder.file("written.png"), text: text)
            let written = try Reference.run("read-png", in: folder, answer: Written.self)
            #expect(written.mode == "RGB")
            #expect(written.text == text)
            let expected = try PPM.read("written.ppm", in: folder)
            #expect(image.difference(from: expected) == nil)
            let own = try RGBImage(contentsOf: folder.file("written.png"))
            #expect(own.difference(from: image) == nil)
        }
        #expect(try folder.contents() == ["written.png", "written.ppm"])
    }

    @Test func textsThatPNGCannotHoldAreRefused() throws {
        let folder = try TemporaryFolder()
        let image = try RGBImage.noise(2, 2)
        for text in [
            ["": "x"], [" a": "x"], ["a ": "x"], ["a  b": "x"], ["寺": "x"], ["a\nb": "x"],
            [String(repeating: "a", count: 80): "x"], ["a": "x\0y"], ["a\0": "x"],
        ] {
            let error = #expect(throws: ImageFileError.self) {
                try image.writePNG(to: folder.file("a.png"), text: text)
            }
            guard case .invalidText? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(try folder.contents().isEmpty)
        try image.writePNG(
            to: folder.file("a.png"), text: [String(repeating: "a", count: 79): "x"])
    }

    @Test func whatWasThereIsReplaced() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array("an old file".utf8), to: "a.png")
        let image = try RGBImage.noise(4, 4)
        try image.writePNG(to: path)
        #expect(try RGBImage(contentsOf: path) == image)
        #expect(try folder.contents() == ["a.png"])
    }

    @Test func aNewFileIsReadableToWhomTheUmaskAllows() throws {
        let folder = try TemporaryFolder()
        try RGBImage.noise(4, 4).writePNG(to: folder.file("a.png"))
        try folder.write([], to: "other")
        var written = stat()
        var other = stat()
        #expect(
            stat(folder.file("a.png"), &written) == 0 && stat(folder.file("other"), &other) == 0)
        #expect(written.st_mode == other.st_mode)
    }

    @Test func aTargetThatCannotBeWrittenLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        let image = try RGBImage.noise(4, 4)
        try FileManager.default.createDirectory(
            atPath: folder.file("folder/full"), withIntermediateDirectories: true)
        try folder.write([1], to: "file")
        let before = try folder.contents()
        for name in ["missing/a.png", "folder", "file/a.png", "", "a\0b.png"] {
            let error = #expect(throws: ImageFileError.self) {
                try image.writePNG(to: folder.file(name))
            }
            guard case .unwritable(folder.file(name), _)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(try folder.contents() == before)
        #expect(throws: ImageFileError.self) { try image.writePNG(to: "") }
        #expect(throws: ImageFileError.self) { try image.writePNG(to: "/proc/a.png") }
    }

    @Test func aFileThatOutgrowsItsLimitLeavesTheOldOneInPlace() async throws {
        // In a process of its own: the limit holds for everything that a process writes.
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = try folder.write(Array("an old file".utf8), to: "a.png")
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 20_000, rlim_max: 20_000)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let error = #expect(throws: ImageFileError.self) {
                try RGBImage.noise(200, 200).writePNG(to: path)
            }
            #expect(error == .unwritable(path: path, reason: "File too large"))
            #expect(try folder.contents() == ["a.png"])
            #expect(try folder.read("a.png") == Array("an old file".utf8))
        }
    }

    @Test func aFolderWithoutPermissionIsNamed() async throws {
        // In a process of its own, which gives up the rights of the superuser.
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            #expect(chmod(folder.path, 0o555) == 0)
            if geteuid() == 0 { #expect(seteuid(65534) == 0) }
            let path = folder.file("a.png")
            #expect(throws: ImageFileError.unwritable(path: path, reason: "Permission denied")) {
                try RGBImage.noise(2, 2).writePNG(to: path)
            }
            #expect(try folder.contents().isEmpty)
        }
    }
}
