import Imaging

/// What reading a picture does beyond decoding its pixels; by default, nothing.
public struct ImageReadingOptions: Sendable, Hashable {
    /// Whether the picture is turned as its EXIF orientation says.
    ///
    /// Equal to `PIL.ImageOps.exif_transpose`: the orientation comes from the EXIF data of a JPEG's
    /// APP1 segments or of a PNG's `eXIf` chunk, else from XMP. Where these are damaged, the
    /// picture stays as it is stored. Compressed texts of a PNG file are not looked into.
    public var appliesOrientation: Bool
    /// What shows through where the picture is transparent; nil drops transparency and keeps
    /// whatever colours are beneath.
    ///
    /// Equal to `Image.alpha_composite(Image.new("RGBA", size, background),
    /// image.convert("RGBA")).convert("RGB")` in Pillow of a PNG file with an alpha channel or a
    /// `tRNS` chunk. Pictures without transparency are the same with and without a background.
    public var background: RGBColor?

    /// Options of which each has its default: those of `Image.open(path).convert("RGB")`.
    public init(appliesOrientation: Bool = false, background: RGBColor? = nil) {
        self.appliesOrientation = appliesOrientation
        self.background = background
    }
}
