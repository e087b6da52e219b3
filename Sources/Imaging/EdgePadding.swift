/// How many pixels to add along each edge of a picture, all at least 0.
public struct EdgePadding: Sendable, Hashable {
    /// Rows above the first.
    public let top: Int
    /// Rows below the last.
    public let bottom: Int
    /// Columns before the first.
    public let left: Int
    /// Columns after the last.
    public let right: Int

    /// The padding that brings both sides of `size` up to a multiple of `multiple`.
    ///
    /// Of what a side lacks, half, rounded down, goes to the top or left, and the rest to
    /// the bottom or right.
    ///
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side of `size` is below 1,
    ///   ``ImagingError/invalidMultiple(_:)`` where `multiple` is.
    public init(of size: PixelSize, toMultipleOf multiple: Int = 8) throws(ImagingError) {
        guard size.width >= 1, size.height >= 1 else { throw .emptySize(size) }
        guard multiple >= 1 else { throw .invalidMultiple(multiple) }
        let missingRows = (multiple - size.height % multiple) % multiple
        let missingColumns = (multiple - size.width % multiple) % multiple
        top = missingRows / 2
        bottom = missingRows - top
        left = missingColumns / 2
        right = missingColumns - left
    }

    /// The size of a picture of `size` once padded, or nil where it overflows.
    func padded(_ size: PixelSize) -> PixelSize? {
        let (width, wide) = size.width.addingReportingOverflow(left + right)
        let (height, high) = size.height.addingReportingOverflow(top + bottom)
        return wide || high ? nil : PixelSize(width: width, height: height)
    }
}
