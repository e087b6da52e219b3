extension RGBImage {
    /// Pictures of one size beside and below each other, from the left to the right, then from the top to
    /// the bottom, about as many rows as columns.
    ///
    /// - Parameters:
    ///   - pictures: at least one, all of one size.
    ///   - columns: how many are side by side; the root of their number, rounded up, unless given.
    ///   - gap: pixels between them and around them all.
    ///   - background: what is there.
    /// - Throws: ``ImagingError/emptySheet(pairCount:columns:cell:)`` where there is no picture or no
    ///   column, ``ImagingError/tooManyPixels(_:)`` where the result would exceed
    ///   ``PixelSize/maximumPixelCount``.
    public static func grid(
        of pictures: [RGBImage], columns: Int? = nil, gap: Int = 2,
        background: RGBColor = .white
    ) throws(ImagingError) -> RGBImage {
        let columns = columns ?? Int(Double(pictures.count).squareRoot().rounded(.up))
        guard let first = pictures.first, columns >= 1 else {
            throw .emptySheet(pairCount: pictures.count, columns: columns, cell: 0)
        }
        let shown = min(columns, pictures.count)
        let (width, height) = (first.width + gap, first.height + gap)
        let size = PixelSize(
            width: shown * width + gap,
            height: (pictures.count + columns - 1) / columns * height + gap)
        try size.requireProducible()
        var canvas = Canvas(size, filledWith: background)
        for (index, picture) in pictures.enumerated() {
            canvas.draw(
                picture, row: gap + index / columns * height,
                column: gap + index % columns * width)
        }
        return canvas.image
    }
}
