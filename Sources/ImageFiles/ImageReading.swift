import Imaging

extension RGBImage {
    /// Reads a PNG or JPEG file, told apart by its first bytes, whatever its name.
    ///
    /// The pixels are those of Pillow's `Image.open(path).convert("RGB")`: transparency is
    /// dropped, and gamma, colour profiles and the EXIF orientation are ignored.
    ///
    /// - Throws: ``ImageFileError``, naming `path`, where the file is missing, unreadable,
    ///   no regular file, empty, neither PNG nor JPEG, truncated, damaged, of a kind that
    ///   cannot be decoded, or larger than `PixelSize.maximumPixelCount` pixels; the
    ///   size is judged before any memory is set aside for the pixels.
    public init(contentsOf path: String) throws(ImageFileError) {
        let file = try InputFile(path: path)
        let firstBytes = try file.firstBytes(ImageFileFormat.longestSignature)
        self =
            switch ImageFileFormat(firstBytes: firstBytes) {
            case .png: try PNGReader(file: file).read()
            case .jpeg: try JPEGReader(file: file).read()
            case nil: throw ImageFileError.unsupportedFormat(path: path)
            }
    }
}
