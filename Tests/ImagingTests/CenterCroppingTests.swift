import Imaging
import TestSupport
import Testing

/// Cropping against `center_crop` of transformers.
@Suite struct CenterCroppingTests {
    private struct Job: Encodable {
        let source: String
        let width: Int
        let height: Int
        let result: String
    }

    @Test func sizesAreCroppedOrPaddedAsTransformersDoes() throws {
        let folder = try TemporaryFolder()
        var jobs: [Job] = []
        for (width, height) in [(1, 1), (4, 5), (5, 4), (7, 6), (12, 13), (40, 3)] {
            let name = "\(width)x\(height)"
            try PPM.write(.noise(width, height), to: "\(name).ppm", in: folder)
            for newWidth in 1...9 {
                for newHeight in 1...9 {
                    jobs.append(
                        Job(
                            source: "\(name).ppm", width: newWidth, height: newHeight,
                            result: "\(name)-\(newWidth)x\(newHeight).ppm"))
                }
            }
        }
        try Reference.run("crop", jobs: jobs, in: folder)
        for job in jobs {
            let source = try PPM.read(job.source, in: folder)
            let expected = try PPM.read(job.result, in: folder)
            let size = PixelSize(width: job.width, height: job.height)
            let cropped = try source.centerCropped(to: size)
            #expect(cropped.difference(from: expected) == nil, "\(source.size) to \(size)")
        }
    }

    @Test func impossibleSizesAreRefused() throws {
        let image = try RGBImage.noise(4, 3)
        for (width, height) in [(0, 3), (4, 0), (-1, 5), (Int.min, Int.min)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.emptySize(size)) { try image.centerCropped(to: size) }
        }
        for (width, height) in [(Int.max, 3), (4, Int.max), (178_956_971, 1)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.tooManyPixels(size)) { try image.centerCropped(to: size) }
        }
    }
}
