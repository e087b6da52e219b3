import Imaging
import Testing

@Suite struct RGBImageTests {
    @Test func samplesAreKeptAsGiven() throws {
        let image = try RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(image.size == PixelSize(width: 2, height: 1))
        #expect(image.pixels == [1, 2, 3, 4, 5, 6])
    }

    @Test func emptySizesAreRefused() {
        for (width, height) in [(0, 0), (0, 1), (1, 0), (-1, -1), (Int.min, 1)] {
            #expect(throws: ImagingError.emptySize(PixelSize(width: width, height: height))) {
                try RGBImage(width: width, height: height, pixels: [])
            }
        }
    }

    @Test func buffersOfAnotherLengthAreRefused() {
        for (width, height, count) in [
            (1, 1, 0), (1, 1, 2), (1, 1, 4), (2, 2, 11), (2, 2, 13), (Int.max, 1, 3),
            (Int.max, Int.max, 3), (1 << 32, 1 << 32, 0), (Int.max / 3 + 1, 1, 3),
        ] {
            let size = PixelSize(width: width, height: height)
            #expect(throws: ImagingError.wrongByteCount(size: size, byteCount: count)) {
                try RGBImage(
                    width: width, height: height, pixels: [UInt8](repeating: 0, count: count))
            }
        }
    }
}
