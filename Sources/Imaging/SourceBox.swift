/// The part of a picture that is resampled, in pixels and fractions of them from its top left.
///
/// In 32-bit floats, since Pillow hands the `box` of `Image.resize` over as such: the edges of a
/// large picture's box are rounded.
struct SourceBox {
    let left: Float
    let top: Float
    let right: Float
    let bottom: Float

    /// The whole of a picture.
    init(_ size: PixelSize) {
        self.init(left: 0, top: 0, right: Double(size.width), bottom: Double(size.height))
    }

    init(left: Double, top: Double, right: Double, bottom: Double) {
        self.left = Float(left)
        self.top = Float(top)
        self.right = Float(right)
        self.bottom = Float(bottom)
    }

    /// Where the box begins if it consists of `size` whole pixels, so that there is nothing to
    /// resample; else nil.
    func wholePixels(of size: PixelSize) -> (row: Int, column: Int)? {
        guard right - left == Float(size.width), bottom - top == Float(size.height),
            let column = Int(exactly: left), let row = Int(exactly: top)
        else { return nil }
        return (row, column)
    }
}
