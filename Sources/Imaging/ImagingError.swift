/// What can be wrong with a picture, or with the size asked of one.
public enum ImagingError: Error, Equatable, Sendable {
    /// A side of the size is below 1.
    case emptySize(PixelSize)
    /// The buffer does not hold `width * height * 3` bytes.
    case wrongByteCount(size: PixelSize, byteCount: Int)
    /// The result would hold more than ``PixelSize/maximumPixelCount`` pixels.
    case tooManyPixels(PixelSize)
    /// The picture is so elongated that its shorter side would shrink to nothing.
    case vanishingSide(size: PixelSize, longestSide: Int)
    /// Scaling between these two sizes would need more filter weights than can be held.
    case scaleTooExtreme(from: PixelSize, to: PixelSize)
    /// Sides can be padded only to a multiple of a positive number.
    case invalidMultiple(Int)
    /// The text is no colour that ``RGBColor/init(parsing:)`` knows.
    case invalidColor(String)
    /// A contact sheet needs at least one pair, one column and one pixel a cell.
    case emptySheet(pairCount: Int, columns: Int, cell: Int)
    /// A contact sheet has no place of this number.
    case noPlaceInSheet(index: Int, pairCount: Int)
}

extension ImagingError: CustomStringConvertible {
    /// What is wrong, and what to do about it.
    public var description: String {
        switch self {
        case .emptySize(let size):
            "a picture of \(size) pixels cannot exist; both sides must be at least 1"
        case .wrongByteCount(let size, let byteCount):
            "an RGB picture of \(size) pixels takes width * height * 3 bytes, "
                + "but the buffer holds \(byteCount)"
        case .tooManyPixels(let size):
            "a picture of \(size) pixels is too large; the limit is "
                + "\(PixelSize.maximumPixelCount) pixels"
        case .vanishingSide(let size, let longestSide):
            "a picture of \(size) pixels, scaled to a longest side of \(longestSide), "
                + "would have a side of 0 pixels; crop it to a less elongated shape"
        case .scaleTooExtreme(let source, let target):
            "scaling \(source) pixels to \(target) would take too much memory; "
                + "scale to a smaller size, or in several steps"
        case .invalidMultiple(let multiple):
            "sides cannot be padded to a multiple of \(multiple); it must be at least 1"
        case .invalidColor(let text):
            "\"\(text)\" is no known colour; write #rrggbb, #rgb or one of "
                + RGBColor.names.keys.sorted().joined(separator: ", ")
        case .emptySheet(let pairCount, let columns, let cell):
            "a contact sheet of \(pairCount) pairs in \(columns) columns with cells of \(cell) "
                + "pixels cannot exist; all three must be at least 1"
        case .noPlaceInSheet(let index, let pairCount):
            "a contact sheet of \(pairCount) pairs has no place \(index); places count from 0"
        }
    }
}
