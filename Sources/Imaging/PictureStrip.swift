/// Pictures in rows, each with a few words below, such as the states of one picture on its way from
/// noise.
///
///     let strip = try PictureStrip(rows: [states], cell: 96)
///     try strip.image.writePNG(to: "strip.png")
public struct PictureStrip: Sendable {
    /// The whole strip.
    public let image: RGBImage

    private static let background = RGBColor(red: 246, green: 246, blue: 246)
    private static let ink = RGBColor(red: 51, green: 51, blue: 51)

    /// - Parameters:
    ///   - rows: pictures of any sizes, from the left to the right, with what is written below each;
    ///     at least one.
    ///   - cell: the longer side of each picture in pixels, at least 1.
    /// - Throws: ``ImagingError/emptySheet(pairCount:columns:cell:)`` where there is no picture or no
    ///   pixel for it, ``ImagingError/tooManyPixels(_:)`` where the strip would exceed
    ///   ``PixelSize/maximumPixelCount``, ``ImagingError/scaleTooExtreme(from:to:)`` where a picture
    ///   cannot be scaled.
    public init(rows: [[(name: String, picture: RGBImage)]], cell: Int) throws(ImagingError) {
        let columns = rows.map(\.count).max() ?? 0
        guard columns >= 1, cell >= 1 else {
            throw .emptySheet(pairCount: columns, columns: columns, cell: cell)
        }
        guard cell <= PixelSize.maximumPixelCount else {
            throw .tooManyPixels(PixelSize(width: cell, height: rows.count))
        }
        let layout = PictureStripLayout(cell: cell)
        let size = layout.size(rows: rows.count, columns: columns)
        try size.requireProducible()
        var canvas = Canvas(size, filledWith: Self.background)
        for (row, pictures) in rows.enumerated() {
            for (column, (name, picture)) in pictures.enumerated() {
                let fitted = try picture.scaled(toFit: cell)
                let (top, left) = layout.place(row: row, column: column)
                canvas.draw(
                    fitted, row: top + (cell - fitted.height) / 2,
                    column: left + (cell - fitted.width) / 2)
                let text = BitmapFont.shortened(name, to: layout.characterCount)
                let width = BitmapFont.width(of: text) * layout.textScale
                canvas.write(
                    text, row: top + cell + layout.gap, column: left + (cell - width) / 2,
                    scale: layout.textScale, color: Self.ink)
            }
        }
        image = canvas.image
    }
}

/// Where things are on a strip, all in pixels.
private struct PictureStripLayout {
    /// The side of the square that a picture is fitted into.
    let cell: Int

    /// Between pictures, around all of them, and between a picture and its words.
    var gap: Int { max(cell / 24, 2) }
    /// The side of a dot of the font.
    var textScale: Int { max(cell / 128, 1) }
    /// From one row to the next.
    var rowHeight: Int { cell + gap + BitmapFont.lineHeight * textScale + gap }

    /// The most characters that fit below a picture.
    var characterCount: Int {
        (cell + (BitmapFont.advance - BitmapFont.glyphWidth) * textScale)
            / (BitmapFont.advance * textScale)
    }

    func size(rows: Int, columns: Int) -> PixelSize {
        PixelSize(width: gap + columns * (cell + gap), height: gap + rows * rowHeight)
    }

    /// The top left corner of a picture.
    func place(row: Int, column: Int) -> (row: Int, column: Int) {
        (gap + row * rowHeight, gap + column * (cell + gap))
    }
}
