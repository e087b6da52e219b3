extension RGBImage {
    /// The middle of the picture at another size; where that is larger, with black around it.
    ///
    /// Equal bit for bit to `center_crop` of transformers. Of an odd number of pixels to drop, the
    /// larger half is dropped at the bottom and right; of an odd number to add, it is added at
    /// the top and left.
    ///
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side of `newSize` is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` where it exceeds
    ///   ``PixelSize/maximumPixelCount``.
    public func centerCropped(to newSize: PixelSize) throws(ImagingError) -> RGBImage {
        guard newSize != size else { return self }
        try newSize.requireProducible()
        let top = Self.halved(height - newSize.height)
        let left = Self.halved(width - newSize.width)
        // The columns that both pictures have, as this one counts them, and the black ones beside.
        let columns = max(left, 0)..<min(left + newSize.width, width)
        let samples = columns.lowerBound * Self.channels..<columns.upperBound * Self.channels
        let leading = Self.black(columns.lowerBound - left)
        let trailing = Self.black(left + newSize.width - columns.upperBound)
        let blackRow = Self.black(newSize.width)

        var newPixels: [UInt8] = []
        newPixels.reserveCapacity(newSize.height * blackRow.count)
        for row in top..<top + newSize.height {
            guard (0..<height).contains(row) else {
                newPixels += blackRow
                continue
            }
            let first = row * width * Self.channels
            newPixels += leading
            newPixels += pixels[first + samples.lowerBound..<first + samples.upperBound]
            newPixels += trailing
        }
        return RGBImage(size: newSize, validPixels: newPixels)
    }

    /// Half of a number, rounded down also where it is negative.
    private static func halved(_ number: Int) -> Int { number >> 1 }

    private static func black(_ pixelCount: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: pixelCount * channels)
    }
}
