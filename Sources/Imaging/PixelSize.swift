/// The width and height of a picture, in pixels.
///
/// A plain pair of numbers: it may hold a size that no picture can have, such as zero
/// or a negative one, and the operations that need a real size throw on it.
public struct PixelSize: Sendable, Hashable, CustomStringConvertible {
    /// The number of columns.
    public var width: Int
    /// The number of rows.
    public var height: Int

    /// Pairs a width with a height, both in pixels.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The size as people write it, for example `1600x900`.
    public var description: String { "\(width)x\(height)" }

    /// The most pixels an operation of this module may produce: 178,956,970.
    ///
    /// It is Pillow's own hard limit, twice `Image.MAX_IMAGE_PIXELS`, beyond which
    /// Pillow refuses to open a picture.
    public static let maximumPixelCount = 178_956_970

    /// `width * height`, or nil where a side is below 1 or the product overflows.
    public var pixelCount: Int? {
        guard width >= 1, height >= 1 else { return nil }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? nil : count
    }

    /// Throws unless a picture of this size can be made.
    ///
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` beyond ``maximumPixelCount``.
    func requireProducible() throws(ImagingError) {
        guard width >= 1, height >= 1 else { throw .emptySize(self) }
        guard let pixelCount, pixelCount <= Self.maximumPixelCount else {
            throw .tooManyPixels(self)
        }
    }
}
