extension RGBImage {
    /// The picture with its sides brought up to multiples of `multiple` by mirroring it
    /// at its edges, without repeating the edge itself.
    ///
    /// Equal bit for bit to `numpy.pad` with mode `"reflect"`, also where the padding is
    /// wider than the picture and the mirroring bounces back and forth; a side of one
    /// pixel repeats that pixel. ``EdgePadding/init(of:toMultipleOf:)`` says how much is
    /// added where.
    ///
    /// - Throws: ``ImagingError/invalidMultiple(_:)`` where `multiple` is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` where the result would exceed
    ///   ``PixelSize/maximumPixelCount``.
    public func reflectPadded(toMultipleOf multiple: Int = 8) throws(ImagingError) -> RGBImage {
        let padding = try EdgePadding(of: size, toMultipleOf: multiple)
        guard let newSize = padding.padded(size) else { throw .tooManyPixels(size) }
        guard newSize != size else { return self }
        try newSize.requireProducible()

        let leading = (-padding.left..<0).map { Self.reflect($0, count: width) }
        let trailing = (width..<width + padding.right).map { Self.reflect($0, count: width) }

        var newPixels: [UInt8] = []
        newPixels.reserveCapacity(newSize.width * newSize.height * Self.channels)
        for newRow in -padding.top..<height + padding.bottom {
            let row = Self.reflect(newRow, count: height)
            for column in leading { newPixels += samples(row: row, columns: column...column) }
            newPixels += samples(row: row, columns: 0...width - 1)
            for column in trailing { newPixels += samples(row: row, columns: column...column) }
        }
        return RGBImage(size: newSize, validPixels: newPixels)
    }

    /// The samples of adjacent pixels of one row, all of which lie within the picture.
    private func samples(row: Int, columns: ClosedRange<Int>) -> ArraySlice<UInt8> {
        let first = (row * width + columns.lowerBound) * Self.channels
        return pixels[first..<first + columns.count * Self.channels]
    }

    /// The index, in `0..<count`, that `index` falls on when the axis is mirrored at its
    /// first and last sample as often as needed.
    private static func reflect(_ index: Int, count: Int) -> Int {
        guard count > 1 else { return 0 }
        let period = 2 * (count - 1)
        let remainder = index % period
        let phase = remainder < 0 ? remainder + period : remainder
        return min(phase, period - phase)
    }
}
