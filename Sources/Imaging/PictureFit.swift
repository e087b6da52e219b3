/// How a picture of one shape becomes one of another.
public enum PictureFit: String, CaseIterable, Sendable, Codable {
    /// Fills the new shape and drops what is over on either side.
    case crop
    /// Shows the whole picture, with a background on either side where the shapes differ.
    case pad
    /// Shows the whole picture, distorted where the shapes differ.
    case stretch
}

extension RGBImage {
    /// The picture at another size, enlarged where that is larger, with Lanczos resampling.
    ///
    /// Equal bit for bit, in Pillow 13 and 8-bit RGB, to
    ///
    /// - ``PictureFit/crop``: `ImageOps.fit(image, size, LANCZOS)`, which keeps the middle;
    /// - ``PictureFit/pad``: `ImageOps.pad(image, size, LANCZOS, color=background)`; of a picture
    ///   so elongated that its shorter side shrinks to nothing, only the background is left;
    /// - ``PictureFit/stretch``: `image.resize(size, LANCZOS)`.
    ///
    /// - Parameters:
    ///   - newSize: the size of the result, at least 1x1.
    ///   - fit: what happens where the shapes differ.
    ///   - background: what is beside a padded picture.
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side of `newSize` is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` where it exceeds ``PixelSize/maximumPixelCount``,
    ///   ``ImagingError/scaleTooExtreme(from:to:)`` where the filter would have more weights
    ///   than Pillow makes room for.
    public func fitted(
        to newSize: PixelSize, by fit: PictureFit, background: RGBColor = .white
    ) throws(ImagingError) -> RGBImage {
        try newSize.requireProducible()
        return switch fit {
        case .crop: try resized(to: newSize, box: size.middle(shapedAs: newSize))
        case .pad: try padded(to: newSize, background: background)
        case .stretch: try resized(to: newSize)
        }
    }

    /// The picture scaled so that it just fits, in the middle of a background.
    private func padded(
        to newSize: PixelSize, background: RGBColor
    ) throws(ImagingError) -> RGBImage {
        let inner = size.contained(in: newSize)
        var canvas: Canvas
        guard inner != newSize else { return try resized(to: newSize) }
        guard inner.width > 0, inner.height > 0 else {
            canvas = Canvas(newSize, filledWith: background)
            return canvas.image
        }
        let scaled = try resized(to: inner)
        canvas = Canvas(newSize, filledWith: background)
        canvas.draw(
            scaled, row: Self.halved(newSize.height - inner.height),
            column: Self.halved(newSize.width - inner.width))
        return canvas.image
    }

    /// Half of a number of pixels, rounded as Python does: to the even of two equally near.
    private static func halved(_ count: Int) -> Int {
        Int((Double(count) * 0.5).rounded(.toNearestOrEven))
    }
}

extension PixelSize {
    // The order of every operation below is that of Pillow's `ImageOps`: another one rounds
    // differently. Both sizes have sides of at least 1.

    private var ratio: Double { Double(width) / Double(height) }

    /// The largest part in the middle of a picture of this size that has the shape of `other`.
    func middle(shapedAs other: PixelSize) -> SourceBox {
        var (cropWidth, cropHeight) = (Double(width), Double(height))
        if ratio > other.ratio {
            cropWidth = other.ratio * Double(height)
        } else if ratio < other.ratio {
            cropHeight = Double(width) / other.ratio
        }
        let left = (Double(width) - cropWidth) * 0.5
        let top = (Double(height) - cropHeight) * 0.5
        return SourceBox(left: left, top: top, right: left + cropWidth, bottom: top + cropHeight)
    }

    /// The largest size of the same shape within `other`; a side of it may be 0.
    func contained(in other: PixelSize) -> PixelSize {
        var result = other
        if ratio > other.ratio {
            let exact = Double(height) / Double(width) * Double(other.width)
            result.height = Int(exact.rounded(.toNearestOrEven))
        } else if ratio < other.ratio {
            let exact = Double(width) / Double(height) * Double(other.height)
            result.width = Int(exact.rounded(.toNearestOrEven))
        }
        return result
    }
}
