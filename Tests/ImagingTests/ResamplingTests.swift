import Foundation
import Imaging
import TestSupport
import Testing

/// Resampling against `Image.resize(size, filter)` of the Pillow that is installed.
@Suite struct ResamplingTests {
    private struct Job: Encodable {
        let source: String
        let width: Int
        let height: Int
        let filter: String
        let result: String
    }

    private static let filters = [ResamplingFilter.bicubic, .lanczos]

    private static let sizes: [(from: PixelSize, to: PixelSize)] = [
        (1, 1, 1, 1), (1, 1, 7, 5), (7, 5, 1, 1), (1, 1, 300, 1), (1, 300, 1, 1), (2, 2, 3, 3),
        (1, 50, 1, 17), (1, 50, 1, 111), (50, 1, 17, 1), (50, 1, 111, 1), (7, 300, 11, 512),
        (7, 300, 3, 100), (300, 7, 512, 11), (511, 513, 510, 512), (511, 513, 512, 511),
        (513, 511, 512, 509), (561, 561, 512, 512), (512, 512, 512, 512), (512, 512, 256, 512),
        (512, 512, 512, 256), (100, 80, 100, 81), (100, 80, 101, 80), (100, 80, 99, 160),
        (64, 64, 128, 128), (64, 64, 192, 64), (64, 64, 32, 32), (63, 65, 31, 33), (3, 3, 2, 2),
        (2, 3, 5, 7), (17, 19, 23, 29), (29, 23, 19, 17), (97, 89, 10, 200), (97, 89, 200, 10),
        (640, 2, 512, 1), (2, 640, 1, 512), (6, 4, 600, 400), (331, 257, 17, 1),
        // Either side of where Pillow turns from one order of the passes to the other.
        (60, 90, 50, 71), (60, 90, 50, 70), (60, 90, 50, 69), (60, 90, 70, 89), (60, 90, 61, 91),
        (400, 1024, 200, 512), (399, 1023, 199, 512), (300, 1400, 109, 512),
        (1600, 900, 512, 288), (10000, 400, 512, 20), (10000, 40, 512, 2), (40, 10000, 2, 512),
    ].map {
        (PixelSize(width: $0.0, height: $0.1), PixelSize(width: $0.2, height: $0.3))
    }

    @Test(arguments: filters)
    func noiseIsResampledAsPillowDoes(_ filter: ResamplingFilter) throws {
        let folder = try TemporaryFolder()
        var jobs: [Job] = []
        for (index, (source, target)) in Self.sizes.enumerated() {
            let name = "\(index)-noise.ppm"
            try PPM.write(.noise(source.width, source.height), to: name, in: folder)
            jobs.append(
                Job(
                    source: name, width: target.width, height: target.height,
                    filter: Self.pillowName(filter), result: "\(index)-resized.ppm"))
        }
        try expectSameResults(jobs, filter, in: folder)
    }

    @Test(arguments: filters)
    func everySmallSizeIsResampledAsPillowDoes(_ filter: ResamplingFilter) throws {
        let folder = try TemporaryFolder()
        var jobs: [Job] = []
        for source in 1...12 {
            let name = "\(source).ppm"
            try PPM.write(.noise(source, 13 - source), to: name, in: folder)
            for target in 1...24 {
                jobs.append(
                    Job(
                        source: name, width: target, height: 25 - target,
                        filter: Self.pillowName(filter), result: "\(source)-\(target).ppm"))
            }
        }
        try expectSameResults(jobs, filter, in: folder)
    }

    @Test(arguments: filters)
    func photographsAreFittedAsPillowResizesThem(_ filter: ResamplingFilter) throws {
        let folder = try TemporaryFolder()
        let names = try Reference.run("photographs", in: folder, answer: [String].self)
        #expect(names.count == 3)
        var jobs: [Job] = []
        for name in names {
            let fitted = try PPM.read(name, in: folder).size.fitted()
            for (width, height) in [(fitted.width, fitted.height), (701, 433), (96, 99)] {
                jobs.append(
                    Job(
                        source: name, width: width, height: height,
                        filter: Self.pillowName(filter), result: "\(width)-\(name)"))
            }
        }
        try expectSameResults(jobs, filter, in: folder)
    }

    private static func pillowName(_ filter: ResamplingFilter) -> String {
        switch filter {
        case .bicubic: "BICUBIC"
        case .lanczos: "LANCZOS"
        }
    }

    private func expectSameResults(
        _ jobs: [Job], _ filter: ResamplingFilter, in folder: TemporaryFolder
    ) throws {
        try Reference.run("resize", jobs: jobs, in: folder)
        for job in jobs {
            let source = try PPM.read(job.source, in: folder)
            let expected = try PPM.read(job.result, in: folder)
            let resized = try source.resized(
                to: PixelSize(width: job.width, height: job.height), filter: filter)
            #expect(resized.difference(from: expected) == nil, "\(source.size) to \(resized.size)")
        }
    }

    @Test func impossibleSizesAreRefused() throws {
        let image = try RGBImage.noise(4, 3)
        for (width, height) in [(0, 3), (4, 0), (-1, 5), (Int.min, Int.min)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.emptySize(size)) { try image.resized(to: size) }
        }
        for (width, height) in [(Int.max, 3), (4, Int.max), (Int.max, Int.max), (178_956_971, 1)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.tooManyPixels(size)) { try image.resized(to: size) }
        }
    }

    @Test func scalesThatNeedTooMuchMemoryAreRefused() throws {
        // Seven weights for each of 100,000,000 columns.
        let dot = try RGBImage.noise(1, 1)
        let line = PixelSize(width: 100_000_000, height: 1)
        #expect(throws: ImagingError.scaleTooExtreme(from: dot.size, to: line)) {
            try dot.resized(to: line)
        }
    }
}
