extension RGBImage {
    /// The picture resampled to another size, equal bit for bit to `Image.resize(size, filter)`
    /// of an 8-bit RGB picture in Pillow 13.
    ///
    /// Follows Pillow's `Resample.c`: one axis after the other, in fixed point, with an 8-bit
    /// picture in between. An axis whose size does not change is left alone.
    ///
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side of `newSize` is below 1,
    ///   ``ImagingError/tooManyPixels(_:)`` where it exceeds
    ///   ``PixelSize/maximumPixelCount``,
    ///   ``ImagingError/scaleTooExtreme(from:to:)`` where the filter would have more weights
    ///   than Pillow makes room for.
    public func resized(
        to newSize: PixelSize, filter: ResamplingFilter = .lanczos
    ) throws(ImagingError) -> RGBImage {
        try resized(to: newSize, filter: filter, box: SourceBox(size))
    }

    /// A part of the picture resampled to another size: `Image.resize(size, filter, box)`.
    ///
    /// - Parameter box: the part, which lies within the picture. Samples beside it count too,
    ///   near its edges.
    /// - Throws: as without a box.
    func resized(
        to newSize: PixelSize, filter: ResamplingFilter = .lanczos, box: SourceBox
    ) throws(ImagingError) -> RGBImage {
        try newSize.requireProducible()
        if let (row, column) = box.wholePixels(of: newSize) {
            return part(newSize, row: row, column: column)
        }
        let rows = try weights(
            from: height, between: box.top, and: box.bottom, to: newSize.height, filter,
            resizingTo: newSize)
        let columns = try weights(
            from: width, between: box.left, and: box.right, to: newSize.width, filter,
            resizingTo: newSize)

        // In either order, the picture in between is no larger than the larger of the others.
        var image = self
        if columnsComeFirst(resizingTo: newSize) {
            if let rows { image = image.resampledVertically(rows, from: 0) }
            if let columns {
                image = image.resampledHorizontally(columns, rows: 0..<newSize.height)
            }
        } else {
            var firstRow = 0
            if let columns {
                // Only the rows that the second pass will look at are worth the first.
                let usedRows = rows?.usedSamples ?? 0..<height
                image = image.resampledHorizontally(columns, rows: usedRows)
                firstRow = usedRows.lowerBound
            }
            if let rows { image = image.resampledVertically(rows, from: firstRow) }
        }
        return image
    }

    /// Whether the vertical pass precedes the horizontal one, which shows in the result since
    /// the picture in between is rounded.
    ///
    /// Before version 12.2 Pillow always went horizontally first. Version 13 goes vertically
    /// first where it takes that to be faster: where the height shrinks, and by more than
    /// twice as many pixels as the width does.
    private func columnsComeFirst(resizingTo newSize: PixelSize) -> Bool {
        let lostRows = height - newSize.height
        let lostColumns = width - newSize.width
        return lostRows > 0 && lostRows > 2 * lostColumns
    }

    /// The weights along one axis, or nil where its size does not change.
    private func weights(
        from count: Int, between start: Float, and end: Float, to newCount: Int,
        _ filter: ResamplingFilter, resizingTo newSize: PixelSize
    ) throws(ImagingError) -> ResampleWeights? {
        guard count != newCount || start != 0 || end != Float(newCount) else { return nil }
        guard
            let weights = ResampleWeights(
                from: count, between: start, and: end, to: newCount, filter: filter)
        else { throw .scaleTooExtreme(from: size, to: newSize) }
        return weights
    }

    /// A part of the picture as it is.
    ///
    /// Beyond 16,777,216, where floats skip numbers, a box may be larger than the picture by a few
    /// pixels; like Pillow's, these are black.
    private func part(_ newSize: PixelSize, row: Int, column: Int) -> RGBImage {
        guard newSize != size else { return self }
        var canvas = Canvas(newSize, filledWith: .black)
        canvas.draw(self, row: -row, column: -column)
        return canvas.image
    }

    /// Resamples each of `rows`, which lie within the picture, and drops the others.
    private func resampledHorizontally(
        _ columns: ResampleWeights, rows: Range<Int>
    ) -> RGBImage {
        let newSize = PixelSize(width: columns.windows.count, height: rows.count)
        let rowBytes = width * Self.channels
        let newPixels = Self.makePixels(newSize) { target in
            pixels.withUnsafeBufferPointer { source in
                columns.weights.withUnsafeBufferPointer { weights in
                    var written = 0
                    for row in rows {
                        for window in columns.windows {
                            var sample = row * rowBytes + window.start * Self.channels
                            var red = Self.half
                            var green = Self.half
                            var blue = Self.half
                            for index in window.weights {
                                let weight = weights[index]
                                red &+= Int32(source[sample]) &* weight
                                green &+= Int32(source[sample + 1]) &* weight
                                blue &+= Int32(source[sample + 2]) &* weight
                                sample += Self.channels
                            }
                            target[written] = Self.clip(red)
                            target[written + 1] = Self.clip(green)
                            target[written + 2] = Self.clip(blue)
                            written += Self.channels
                        }
                    }
                }
            }
        }
        return RGBImage(size: newSize, validPixels: newPixels)
    }

    /// Resamples each column; the first row of this picture is the one that `rows`
    /// counts as `firstRow`.
    private func resampledVertically(
        _ rows: ResampleWeights, from firstRow: Int
    ) -> RGBImage {
        let newSize = PixelSize(width: width, height: rows.windows.count)
        let rowBytes = width * Self.channels
        let newPixels = Self.makePixels(newSize) { target in
            pixels.withUnsafeBufferPointer { source in
                // A whole row of sums at a time reads the picture in the order in which
                // it lies in memory, and lets the compiler use vector instructions.
                var sums = [Int32](repeating: 0, count: rowBytes)
                sums.withUnsafeMutableBufferPointer { sums in
                    for (row, window) in rows.windows.enumerated() {
                        sums.update(repeating: Self.half)
                        var sample = (window.start - firstRow) * rowBytes
                        for weight in rows.weights[window.weights] {
                            for index in 0..<rowBytes {
                                sums[index] &+= Int32(source[sample + index]) &* weight
                            }
                            sample += rowBytes
                        }
                        for index in 0..<rowBytes {
                            target[row * rowBytes + index] = Self.clip(sums[index])
                        }
                    }
                }
            }
        }
        return RGBImage(size: newSize, validPixels: newPixels)
    }

    /// Samples for a picture of a size known to be producible; `fill` sets every one.
    static func makePixels(
        _ size: PixelSize, fill: (UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> [UInt8] {
        let count = size.width * size.height * channels
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            fill(buffer)
            initializedCount = count
        }
    }

    /// One half in fixed point: sums start from it, so that dropping the fraction rounds.
    private static let half = Int32(1) << (ResampleWeights.fractionBits - 1)

    /// Drops the fraction and clamps to 0…255.
    private static func clip(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> ResampleWeights.fractionBits, 0), 255))
    }
}
