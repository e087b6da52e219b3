import Foundation
import Imaging
import TestSupport
import Testing

/// Fitting against the Python expression of the original.
@Suite struct LongestSideFitTests {
    private struct Job: Encodable {
        let width: Int
        let height: Int
    }

    @Test func sizesAreThoseOfTheOriginal() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 1)
        var jobs = [
            (1, 1), (512, 512), (513, 513), (561, 561), (511, 513), (513, 511), (512, 600),
            (1600, 900), (900, 1600), (10000, 400), (7, 300), (600, 2), (1024, 2), (3, 1537),
        ].map { Job(width: $0.0, height: $0.1) }
        for _ in 0..<5000 {
            let width = Int.random(in: 1...6000, using: &generator)
            jobs.append(
                Job(width: width, height: .random(in: width / 400 + 1...6000, using: &generator)))
        }
        let answer = try Reference.run("fit", jobs: jobs, in: folder)
        let expected = try JSONDecoder().decode([[Int]].self, from: answer)
        for (job, sides) in zip(jobs, expected) where sides.allSatisfy({ $0 > 0 }) {
            let fitted = try PixelSize(width: job.width, height: job.height).fitted()
            #expect([fitted.width, fitted.height] == sides, "\(job.width)x\(job.height)")
        }
    }

    @Test func aSideThatWouldVanishIsRefused() throws {
        for (width, height) in [(1025, 2), (2, 1025), (513, 1), (Int.max, 1)] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.vanishingSide(size: size, longestSide: 512)) {
                try size.fitted()
            }
        }
        #expect(
            ImagingError.vanishingSide(size: PixelSize(width: 513, height: 1), longestSide: 512)
                .description.contains("513x1"))
    }

    @Test func impossibleSizesAreRefused() {
        let empty = PixelSize(width: 0, height: 5)
        #expect(throws: ImagingError.emptySize(empty)) { try empty.fitted() }
        let size = PixelSize(width: 20, height: 10)
        for longestSide in [0, -1, Int.min] {
            #expect(throws: ImagingError.vanishingSide(size: size, longestSide: longestSide)) {
                try size.fitted(longestSide: longestSide)
            }
        }
        let huge = PixelSize(width: .max, height: .max)
        #expect(throws: ImagingError.self) { try huge.fitted(longestSide: .max - 1) }
    }

    @Test func aPictureThatFitsIsUntouched() throws {
        let image = try RGBImage.noise(30, 20)
        #expect(try image.fitted() == image)
        #expect(try image.fitted(longestSide: 15).size == PixelSize(width: 15, height: 10))
    }
}
