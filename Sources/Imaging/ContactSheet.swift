/// A page of small pictures in pairs, each an input on the left and an output on the right, with
/// their name below.
///
/// Pairs are drawn one at a time, in any order, so that a page of many large pictures needs no
/// more memory than the page and one pair; or all at once:
///
/// ```swift
/// let sheet = try ContactSheet(pairs: pairs, columns: 4, cell: 160)
/// try sheet.image.writePNG(to: "sheet.png")
/// ```
public struct ContactSheet: Sendable {
    /// How many pairs the page has room for, at least 1.
    public let pairCount: Int
    /// How many pairs are side by side, at least 1 and at most ``pairCount``.
    public let columns: Int
    /// The longer side of a picture on the page in pixels, at least 1.
    public let cell: Int

    private var canvas: Canvas

    private static let background = RGBColor(red: 222, green: 222, blue: 222)
    private static let card = RGBColor(red: 246, green: 246, blue: 246)
    private static let ink = RGBColor(red: 51, green: 51, blue: 51)

    /// An empty page.
    ///
    /// - Parameters:
    ///   - pairCount: how many pairs there will be, at least 1.
    ///   - columns: how many of them are side by side, at least 1.
    ///   - cell: the longer side of each picture on the page in pixels, at least 1.
    /// - Throws: ``ImagingError/emptySheet(pairCount:columns:cell:)`` where one of them is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` where the page would exceed
    ///   ``PixelSize/maximumPixelCount``.
    public init(pairCount: Int, columns: Int, cell: Int) throws(ImagingError) {
        guard pairCount >= 1, columns >= 1, cell >= 1 else {
            throw .emptySheet(pairCount: pairCount, columns: columns, cell: cell)
        }
        self.pairCount = pairCount
        self.columns = min(columns, pairCount)
        self.cell = cell
        let largest = PixelSize.maximumPixelCount
        guard cell <= largest, pairCount <= largest else {
            // What it would be at least; the exact size may not even be a number.
            throw .tooManyPixels(PixelSize(width: cell, height: pairCount))
        }
        let layout = ContactSheetLayout(columns: self.columns, cell: cell)
        let size = layout.size(pairCount: pairCount)
        try size.requireProducible()
        canvas = Canvas(size, filledWith: Self.background)
    }

    /// A page of all these pairs, from the left to the right, then from the top to the bottom.
    ///
    /// - Parameters:
    ///   - pairs: the pictures, of any sizes, and their names; at least one pair.
    ///   - columns: how many of them are side by side, at least 1.
    ///   - cell: the longer side of each picture on the page in pixels, at least 1.
    /// - Throws: what ``init(pairCount:columns:cell:)`` and ``draw(name:input:output:at:)`` throw.
    public init(
        pairs: [(name: String, input: RGBImage, output: RGBImage)], columns: Int, cell: Int
    ) throws(ImagingError) {
        try self.init(pairCount: pairs.count, columns: columns, cell: cell)
        for (index, pair) in pairs.enumerated() {
            try draw(name: pair.name, input: pair.input, output: pair.output, at: index)
        }
    }

    /// The page as drawn so far.
    public var image: RGBImage { canvas.image }

    /// Draws one pair, over what may be at its place already.
    ///
    /// Each picture is scaled with Lanczos resampling, up or down, so that its longer side is
    /// ``cell``. A name that is too long is shortened in the middle; a character outside of ASCII
    /// 32…126 shows as a box.
    ///
    /// - Parameters:
    ///   - name: what is written below.
    ///   - input: the picture on the left, of any size.
    ///   - output: the picture on the right, of any size.
    ///   - index: the place, counted from 0, from the left to the right, then downwards.
    /// - Throws: ``ImagingError/noPlaceInSheet(index:pairCount:)`` where `index` is not in
    ///   `0..<pairCount`, ``ImagingError/scaleTooExtreme(from:to:)`` where a picture cannot be
    ///   scaled.
    public mutating func draw(
        name: String, input: RGBImage, output: RGBImage, at index: Int
    ) throws(ImagingError) {
        guard (0..<pairCount).contains(index) else {
            throw .noPlaceInSheet(index: index, pairCount: pairCount)
        }
        let left = try input.scaled(toFit: cell)
        let right = try output.scaled(toFit: cell)

        let layout = ContactSheetLayout(columns: columns, cell: cell)
        let (row, column) = layout.place(of: index)
        canvas.fill(
            row: row, column: column, height: layout.cardHeight, width: layout.cardWidth,
            with: Self.card)
        // Side by side at the middle of the card, however narrow they are.
        let middle = column + layout.padding + cell
        let top = row + layout.padding
        canvas.draw(left, row: top + (cell - left.height) / 2, column: middle - left.width)
        canvas.draw(
            right, row: top + (cell - right.height) / 2, column: middle + layout.pictureGap)

        let text = BitmapFont.shortened(name, to: layout.characterCount)
        let width = BitmapFont.width(of: text) * layout.textScale
        canvas.write(
            text, row: top + cell + layout.textGap, column: column + (layout.cardWidth - width) / 2,
            scale: layout.textScale, color: Self.ink)
    }
}

/// Where things are on a contact sheet, all in pixels.
struct ContactSheetLayout {
    /// The number of pairs side by side.
    let columns: Int
    /// The side of the square that a picture is fitted into.
    let cell: Int

    /// Between the two pictures of a pair.
    var pictureGap: Int { max(cell / 40, 2) }
    /// Between a card and its pictures.
    var padding: Int { max(cell / 20, 3) }
    /// Between cards, and around all of them.
    var cardGap: Int { max(cell / 10, 6) }
    /// The side of a dot of the font.
    var textScale: Int { max(cell / 128, 1) }
    /// Between the pictures and their name.
    var textGap: Int { padding }

    /// How wide a pair is, its two pictures and the gap between them.
    var pairWidth: Int { 2 * cell + pictureGap }
    /// How wide the panel behind a pair is.
    var cardWidth: Int { pairWidth + 2 * padding }
    /// How high the panel behind a pair is.
    var cardHeight: Int {
        padding + cell + textGap + BitmapFont.lineHeight * textScale + padding
    }

    /// The most characters that fit below a pair.
    var characterCount: Int {
        (pairWidth + (BitmapFont.advance - BitmapFont.glyphWidth) * textScale)
            / (BitmapFont.advance * textScale)
    }

    /// The size of the whole page.
    func size(pairCount: Int) -> PixelSize {
        let rows = (pairCount + columns - 1) / columns
        return PixelSize(
            width: columns * (cardWidth + cardGap) + cardGap,
            height: rows * (cardHeight + cardGap) + cardGap)
    }

    /// The top left corner of a card.
    func place(of index: Int) -> (row: Int, column: Int) {
        (
            cardGap + index / columns * (cardHeight + cardGap),
            cardGap + index % columns * (cardWidth + cardGap)
        )
    }
}

extension RGBImage {
    /// The picture scaled, up or down, so that its longer side is `side`; no side becomes 0.
    func scaled(toFit side: Int) throws(ImagingError) -> RGBImage {
        let fitted = size.contained(in: PixelSize(width: side, height: side))
        return try resized(
            to: PixelSize(width: max(fitted.width, 1), height: max(fitted.height, 1)))
    }
}
