import ImageFiles
import Imaging
import TestSupport
import Testing

/// Reading against `Image.open(path).convert("RGB")` of the Pillow that is installed.
@Suite struct PictureReadingTests {
    @Test func everyKindOfPNGReadsAsInPillow() throws {
        try expectSamePixels(command: "png-files", suffix: "png", atLeast: 100)
    }

    @Test func everyKindOfJPEGReadsAsInPillow() throws {
        try expectSamePixels(command: "jpeg-files", suffix: "jpg", atLeast: 50)
    }

    private func expectSamePixels(command: String, suffix: String, atLeast count: Int) throws {
        let folder = try TemporaryFolder()
        let names = try Reference.run(command, in: folder, answer: [String].self)
        #expect(names.count >= count)
        for name in names {
            let expected = try PPM.read("\(name).ppm", in: folder)
            let image = try RGBImage(contentsOf: folder.file("\(name).\(suffix)"))
            #expect(image.difference(from: expected) == nil, "\(name).\(suffix)")
        }
    }

    @Test func theNameOfAFileDoesNotMatter() throws {
        let folder = try TemporaryFolder()
        let image = try RGBImage.noise(5, 4)
        try image.writePNG(to: folder.file("picture.jpg"))
        #expect(try RGBImage(contentsOf: folder.file("picture.jpg")) == image)
    }
}
