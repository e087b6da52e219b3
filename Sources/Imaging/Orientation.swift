/// Where a stored picture's first row and first column belong when it is shown: the values of the
/// EXIF tag `Orientation` (0x0112).
///
/// A case names the side that the first row shows at, then the side of the first column, where the
/// rows stay rows; and the other way round from ``leftTop`` on, where rows become columns.
public enum Orientation: Int, CaseIterable, Sendable {
    /// As it is stored.
    case topLeft = 1
    /// Mirrored left to right.
    case topRight = 2
    /// Turned by 180 degrees.
    case bottomRight = 3
    /// Mirrored top to bottom.
    case bottomLeft = 4
    /// Mirrored along the diagonal from the top left: rows become columns.
    case leftTop = 5
    /// To be turned clockwise by 90 degrees: what cameras held upright write.
    case rightTop = 6
    /// Mirrored along the diagonal from the top right.
    case rightBottom = 7
    /// To be turned anticlockwise by 90 degrees.
    case leftBottom = 8

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= Self.leftTop.rawValue }
}

extension RGBImage {
    /// The picture as it is to be shown, where it is stored in `orientation`.
    ///
    /// Equal to `PIL.ImageOps.exif_transpose` of a picture whose EXIF holds this orientation. From
    /// ``Orientation/leftTop`` on, width and height change places.
    public func oriented(_ orientation: Orientation) -> RGBImage {
        guard orientation != .topLeft else { return self }
        let newSize =
            orientation.swapsSides ? PixelSize(width: height, height: width) : size
        // The place that shows up at the top left, and how far apart in memory the pixels are that
        // show up side by side and one above the other.
        let right = width - 1
        let bottom = (height - 1) * width
        let (first, column, row) =
            switch orientation {
            case .topLeft: (0, 1, width)
            case .topRight: (right, -1, width)
            case .bottomRight: (bottom + right, -1, -width)
            case .bottomLeft: (bottom, 1, -width)
            case .leftTop: (0, width, 1)
            case .rightTop: (bottom, -width, 1)
            case .rightBottom: (bottom + right, -width, -1)
            case .leftBottom: (right, width, -1)
            }
        let newPixels = Self.makePixels(newSize) { target in
            pixels.withUnsafeBufferPointer { source in
                var written = 0
                for newRow in 0..<newSize.height {
                    var sample = (first + newRow * row) * Self.channels
                    for _ in 0..<newSize.width {
                        target[written] = source[sample]
                        target[written + 1] = source[sample + 1]
                        target[written + 2] = source[sample + 2]
                        written += Self.channels
                        sample += column * Self.channels
                    }
                }
            }
        }
        return RGBImage(size: newSize, validPixels: newPixels)
    }
}
