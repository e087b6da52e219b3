extension PixelSize {
    /// The size scaled down so that its longer side is `longestSide`.
    ///
    /// A size that fits already is returned unchanged: nothing is ever enlarged. The
    /// shorter side is computed in doubles and truncated, as the Python expression
    /// `int(height * (longest_side / width))` does; of a square, the height counts as
    /// the longer side.
    ///
    /// - Parameter longestSide: the most pixels either side may have, at least 1.
    /// - Throws: ``ImagingError/emptySize(_:)`` where a side of this size is below 1,
    ///   ``ImagingError/vanishingSide(size:longestSide:)`` where the shorter side would
    ///   become 0, or `longestSide` is below 1.
    public func fitted(longestSide: Int = 512) throws(ImagingError) -> PixelSize {
        guard width >= 1, height >= 1 else { throw .emptySize(self) }
        guard max(width, height) > longestSide else { return self }

        let isLandscape = width > height
        let (longer, shorter) = isLandscape ? (width, height) : (height, width)
        // The quotient comes first: multiplying first would round differently.
        let scaled = Double(shorter) * (Double(longestSide) / Double(longer))
        guard longestSide >= 1, let shortened = Int(exactly: scaled.rounded(.towardZero)),
            shortened >= 1
        else { throw .vanishingSide(size: self, longestSide: longestSide) }

        return isLandscape
            ? PixelSize(width: longestSide, height: shortened)
            : PixelSize(width: shortened, height: longestSide)
    }
}

extension RGBImage {
    /// The picture scaled down, with Lanczos resampling, so that its longer side is
    /// `longestSide`; a picture that fits already is returned unchanged.
    ///
    /// - Parameter longestSide: the most pixels either side may have, at least 1.
    /// - Throws: what ``PixelSize/fitted(longestSide:)`` and ``resized(to:filter:)`` throw.
    public func fitted(longestSide: Int = 512) throws(ImagingError) -> RGBImage {
        try resized(to: size.fitted(longestSide: longestSide))
    }
}
