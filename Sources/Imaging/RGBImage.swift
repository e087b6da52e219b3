/// A picture of 8-bit red, green and blue samples.
public struct RGBImage: Sendable, Equatable {
    /// The number of samples in a pixel.
    public static let channels = 3

    /// The number of columns, at least 1.
    public let width: Int
    /// The number of rows, at least 1.
    public let height: Int
    /// The samples, each 0…255: row by row from the top, pixel by pixel from the left,
    /// red, green, blue; `width * height * 3` bytes.
    public let pixels: [UInt8]

    /// Makes a picture of samples laid out as ``pixels`` describes.
    ///
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side is below 1,
    ///   ``ImagingError/wrongByteCount(size:byteCount:)`` where `pixels` does not hold
    ///   `width * height * 3` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) throws(ImagingError) {
        let size = PixelSize(width: width, height: height)
        guard width >= 1, height >= 1 else { throw .emptySize(size) }
        // Dividing the byte count, which is real, cannot overflow; multiplying the
        // sides, which are claims, could.
        guard pixels.count.isMultiple(of: Self.channels),
            let pixelCount = size.pixelCount,
            pixelCount == pixels.count / Self.channels
        else { throw .wrongByteCount(size: size, byteCount: pixels.count) }
        self.init(size: size, validPixels: pixels)
    }

    /// Makes a picture of samples whose count the caller has already made sure of.
    init(size: PixelSize, validPixels: [UInt8]) {
        self.width = size.width
        self.height = size.height
        self.pixels = validPixels
    }

    /// The width and height together.
    public var size: PixelSize { PixelSize(width: width, height: height) }
}
