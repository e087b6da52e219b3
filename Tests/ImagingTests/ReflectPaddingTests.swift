import Imaging
import TestSupport
import Testing

/// Padding against `numpy.pad` with mode `"reflect"`.
@Suite struct ReflectPaddingTests {
    private struct Job: Encodable {
        let source: String
        let result: String
    }

    @Test func smallSizesArePaddedAsNumpyDoes() throws {
        let folder = try TemporaryFolder()
        var sizes = (1...17).flatMap { width in (1...17).map { (width, $0) } }
        sizes += [(509, 3), (3, 509), (512, 288), (101, 67)]
        var jobs: [Job] = []
        for (width, height) in sizes {
            let name = "\(width)x\(height)"
            try PPM.write(.noise(width, height), to: "\(name).ppm", in: folder)
            jobs.append(Job(source: "\(name).ppm", result: "\(name)-padded.ppm"))
        }
        try Reference.run("pad", jobs: jobs, in: folder)
        for job in jobs {
            let source = try PPM.read(job.source, in: folder)
            let expected = try PPM.read(job.result, in: folder)
            let padded = try source.reflectPadded()
            #expect(padded.difference(from: expected) == nil, "\(source.size)")
        }
    }

    @Test func theLargerHalfGoesToTheBottomAndRight() throws {
        let padding = try EdgePadding(of: PixelSize(width: 3, height: 16))
        #expect(padding.left == 2 && padding.right == 3 && padding.top == 0 && padding.bottom == 0)
    }

    @Test func impossiblePaddingIsRefused() throws {
        let image = try RGBImage.noise(5, 4)
        for multiple in [0, -8, Int.min] {
            #expect(throws: ImagingError.invalidMultiple(multiple)) {
                try image.reflectPadded(toMultipleOf: multiple)
            }
        }
        #expect(throws: ImagingError.self) { try image.reflectPadded(toMultipleOf: .max) }
        let padded = PixelSize(width: 1_000_000, height: 1_000_000)
        #expect(throws: ImagingError.tooManyPixels(padded)) {
            try image.reflectPadded(toMultipleOf: 1_000_000)
        }
    }
}
