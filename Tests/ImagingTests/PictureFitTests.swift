import Foundation
import Imaging
import TestSupport
import Testing

/// Fitting against `ImageOps.fit`, `ImageOps.pad` and `Image.resize` of the Pillow that is installed.
@Suite struct PictureFitTests {
    private struct Job: Encodable {
        let source: String
        let width: Int
        let height: Int
        let fit: String
        let background: [UInt8]
        let result: String
    }

    private static let background = RGBColor(red: 9, green: 130, blue: 251)

    private static func jobs(_ source: String, to sizes: [(Int, Int)], _ fit: PictureFit) -> [Job] {
        sizes.map { width, height in
            Job(
                source: source, width: width, height: height, fit: fit.rawValue,
                background: [background.red, background.green, background.blue],
                result: "\(source)-\(width)x\(height).ppm")
        }
    }

    private static let sizes = [
        (1, 1), (1, 40), (40, 1), (2, 3), (8, 8), (16, 9), (31, 33), (64, 64), (64, 65), (100, 37),
        (128, 256),
    ]

    @Test(arguments: PictureFit.allCases)
    func noiseIsFittedAsPillowDoes(_ fit: PictureFit) throws {
        let folder = try TemporaryFolder()
        var jobs: [Job] = []
        for (width, height) in [
            (1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (8, 8), (16, 9), (17, 90), (33, 32), (65, 64),
            (64, 64), (127, 63), (300, 7), (7, 300), (4000, 2), (2, 4000), (1, 1000), (1000, 1),
        ] {
            let name = "\(width)x\(height)"
            try PPM.write(.noise(width, height), to: name, in: folder)
            jobs += Self.jobs(name, to: Self.sizes, fit)
        }
        try expectSameResults(jobs, fit, in: folder)
    }

    @Test(arguments: PictureFit.allCases)
    func everySmallShapeIsFittedAsPillowDoes(_ fit: PictureFit) throws {
        let folder = try TemporaryFolder()
        var jobs: [Job] = []
        let targets = (1...9).flatMap { width in (1...9).map { (width, $0) } }
        for width in 1...9 {
            for height in [1, 2, 3, 4, 7, 10] {
                let name = "\(width)x\(height)"
                try PPM.write(.noise(width, height), to: name, in: folder)
                jobs += Self.jobs(name, to: targets, fit)
            }
        }
        try expectSameResults(jobs, fit, in: folder)
    }

    @Test(arguments: PictureFit.allCases)
    func photographsAreFittedAsPillowDoes(_ fit: PictureFit) throws {
        let folder = try TemporaryFolder()
        let names = try Reference.run("photographs", in: folder, answer: [String].self)
        #expect(names.count == 3)
        var generator = SeededGenerator(seed: 5)
        var jobs: [Job] = []
        for name in names {
            let size = try PPM.read(name, in: folder).size
            var targets = [
                (64, 64), (512, 512), (512, 288), (97, 301), (size.width, size.height),
                (size.width, size.height / 2), (size.width / 2, size.height), (700, 500),
            ]
            for _ in 0..<12 {
                targets.append(
                    (
                        .random(in: 1...400, using: &generator),
                        .random(in: 1...400, using: &generator)
                    )
                )
            }
            jobs += Self.jobs(name, to: targets, fit)
        }
        try expectSameResults(jobs, fit, in: folder)
    }

    private func expectSameResults(_ jobs: [Job], _ fit: PictureFit, in folder: TemporaryFolder)
        throws
    {
        try Reference.run("shape", jobs: jobs, in: folder)
        for job in jobs {
            let source = try PPM.read(job.source, in: folder)
            let expected = try PPM.read(job.result, in: folder)
            let size = PixelSize(width: job.width, height: job.height)
            let fitted = try source.fitted(to: size, by: fit, background: Self.background)
            #expect(fitted.difference(from: expected) == nil, "\(source.size) to \(size), \(fit)")
        }
    }

    @Test(arguments: PictureFit.allCases)
    func impossibleSizesAreRefused(_ fit: PictureFit) throws {
        let image = try RGBImage.noise(4, 3)
        for (width, height) in [(0, 3), (4, 0), (-1, 5), (Int.min, Int.min)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.emptySize(size)) { try image.fitted(to: size, by: fit) }
        }
        for (width, height) in [(Int.max, 3), (4, Int.max), (Int.max, Int.max), (178_956_971, 1)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.tooManyPixels(size)) {
                try image.fitted(to: size, by: fit)
            }
        }
    }

    @Test func aPictureOfTheSizeIsUntouched() throws {
        let image = try RGBImage.noise(30, 20)
        for fit in PictureFit.allCases {
            #expect(try image.fitted(to: image.size, by: fit) == image)
        }
    }
}
