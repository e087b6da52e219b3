import Foundation
import ImageFiles
import Imaging
import TestSupport
import Testing

/// Orientation and transparency against the Pillow that is installed.
@Suite struct ReadingOptionsTests {
    private static let oriented = ImageReadingOptions(appliesOrientation: true)

    private struct Transparency: Decodable {
        let names: [String]
        let backgrounds: [String: [UInt8]]
    }

    // MARK: - Orientation

    @Test func picturesAreTurnedAsPillowDoes() throws {
        let folder = try TemporaryFolder()
        let answers: [String: String] = try Reference.reading.run("orientations", folder.path)
        #expect(answers.count > 350)
        #expect(answers.values.count { $0 == "turned" } > 150)
        try expectTurned(answers, in: folder)
    }

    @Test func damagedOrientationsTurnPicturesAsInPillow() throws {
        let folder = try TemporaryFolder()
        let answers: [String: String] = try Reference.reading.run(
            "damaged-orientations", folder.path)
        #expect(answers.count == 1200)
        #expect(Set(answers.values).isSuperset(of: ["turned", "same"]))
        try expectTurned(answers, in: folder)
    }

    private func expectTurned(_ answers: [String: String], in folder: TemporaryFolder) throws {
        for (name, answer) in answers {
            let expected = try PPM.read("\(name).ppm", in: folder)
            let image = try RGBImage(contentsOf: folder.file(name), options: Self.oriented)
            #expect(image.difference(from: expected) == nil, "\(name): \(answer)")
        }
    }

    @Test func orientationIsLeftAloneUnlessAskedFor() throws {
        let folder = try TemporaryFolder()
        let _: [String: String] = try Reference.reading.run("orientations", folder.path)
        for (name, value) in [("little-6.jpg", 6), ("big-3.png", 3), ("little-1.jpg", 1)] {
            let stored = try RGBImage(contentsOf: folder.file(name))
            let turned = try RGBImage(contentsOf: folder.file(name), options: Self.oriented)
            let orientation = try #require(Orientation(rawValue: value))
            #expect(turned == stored.oriented(orientation))
            #expect((turned == stored) == (value == 1))
        }
    }

    @Test func everyOrientationMovesTheFirstPixelWhereItBelongs() throws {
        let pixels: [UInt8] = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]
        let image = try RGBImage(width: 3, height: 2, pixels: pixels)
        let expected: [Orientation: (Int, [UInt8])] = [
            .topLeft: (3, [1, 2, 3, 4, 5, 6]), .topRight: (3, [3, 2, 1, 6, 5, 4]),
            .bottomRight: (3, [6, 5, 4, 3, 2, 1]), .bottomLeft: (3, [4, 5, 6, 1, 2, 3]),
            .leftTop: (2, [1, 4, 2, 5, 3, 6]), .rightTop: (2, [4, 1, 5, 2, 6, 3]),
            .rightBottom: (2, [6, 3, 5, 2, 4, 1]), .leftBottom: (2, [3, 6, 2, 5, 1, 4]),
        ]
        for orientation in Orientation.allCases {
            let turned = image.oriented(orientation)
            let (width, greys) = try #require(expected[orientation])
            #expect(turned.width == width && turned.height == 6 / width)
            #expect(
                turned.pixels.enumerated().filter { $0.offset % 3 == 0 }.map(\.element) == greys)
        }
    }

    // MARK: - Transparency

    @Test func everyKindOfTransparencyIsComposedAsPillowDoes() throws {
        let folder = try TemporaryFolder()
        let answer: Transparency = try Reference.reading.run("transparency", folder.path)
        #expect(answer.names.count > 150)
        for name in answer.names {
            for (background, samples) in answer.backgrounds {
                let color = RGBColor(red: samples[0], green: samples[1], blue: samples[2])
                let expected = try PPM.read("\(name)-\(background).ppm", in: folder)
                let image = try RGBImage(
                    contentsOf: folder.file("\(name).png"),
                    options: ImageReadingOptions(background: color))
                #expect(image.difference(from: expected) == nil, "\(name) over \(color)")
            }
        }
    }

    @Test func transparencyThatPillowRefusesIsRefused() throws {
        let folder = try TemporaryFolder()
        let names: [String] = try Reference.reading.run("refused-transparency", folder.path)
        #expect(names.count == 4)
        for name in names {
            let path = folder.file("\(name).png")
            let error = #expect(throws: ImageFileError.self) {
                try RGBImage(contentsOf: path, options: ImageReadingOptions(background: .white))
            }
            guard case .undecodable(path, let reason)? = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(reason.contains("tRNS"))
            #expect(throws: Never.self) { try RGBImage(contentsOf: path) }
        }
    }

    @Test func bothOptionsTogetherAreOneAfterTheOther() throws {
        let folder = try TemporaryFolder()
        let _: [String: String] = try Reference.reading.run("orientations", folder.path)
        for name in ["little-6.png", "little-8-behind.png", "little-6.jpg"] {
            let both = ImageReadingOptions(appliesOrientation: true, background: .black)
            let image = try RGBImage(contentsOf: folder.file(name), options: both)
            // These have no transparency.
            #expect(
                image.difference(from: try PPM.read("\(name).ppm", in: folder)) == nil, "\(name)")
        }
    }

    // MARK: - Memory

    @Test func filesInMemoryReadAsOnDisk() throws {
        let folder = try TemporaryFolder()
        for command in ["png-files", "jpeg-files"] {
            let names = try Reference.run(command, in: folder, answer: [String].self)
            for name in names {
                let file = "\(name).\(command.prefix { $0 != "-" })".replacing("jpeg", with: "jpg")
                for options in [
                    ImageReadingOptions(),
                    ImageReadingOptions(appliesOrientation: true, background: .white),
                ] {
                    let expected = try RGBImage(contentsOf: folder.file(file), options: options)
                    let image = try folder.read(file).withUnsafeBytes {
                        try RGBImage(decoding: $0, path: file, options: options)
                    }
                    #expect(image.difference(from: expected) == nil, "\(file)")
                }
            }
        }
    }

    @Test func errorsOfFilesInMemoryNameThem() throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("damage", in: folder)
        let cut = try folder.read("baseline.jpg").dropLast(100)
        for (bytes, expected) in [
            ([], ImageFileError.empty(path: "upload")),
            (Array("hello, this is text".utf8), .unsupportedFormat(path: "upload")),
            (Array(cut), .truncated(path: "upload")),
        ] {
            let options = ImageReadingOptions(appliesOrientation: true, background: .white)
            #expect(throws: expected) {
                try bytes.withUnsafeBytes {
                    try RGBImage(decoding: $0, path: "upload", options: options)
                }
            }
        }
    }

    @Test func flippedAndMissingBytesNeverCrash() throws {
        let folder = try TemporaryFolder()
        _ = try Reference.run("damage", in: folder)
        let _: [String: String] = try Reference.reading.run("orientations", folder.path)
        let options = ImageReadingOptions(appliesOrientation: true, background: .white)
        for name in ["adam7.png", "little-6.png", "big-6-behind.png", "xmp-element.png"]
            + ["cmyk.jpg", "big-type-5.jpg", "xmp-attribute-no-orientation.jpg"]
        {
            let bytes = try folder.read(name)
            for position in bytes.indices {
                var damaged = bytes
                damaged[position] ^= 0xFF
                for file in [damaged[...], bytes[..<position]] {
                    file.withUnsafeBytes {
                        _ = try? RGBImage(decoding: $0, path: name, options: options)
                    }
                }
            }
        }
    }
}
