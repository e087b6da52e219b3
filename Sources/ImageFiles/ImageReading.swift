import Imaging

extension RGBImage {
    /// Reads a PNG or JPEG file, told apart by its first bytes, whatever its name.
    ///
    /// The pixels are those of Pillow's `Image.open(path).convert("RGB")`: transparency is
    /// dropped, and gamma, colour profiles and the EXIF orientation are ignored.
    /// ``init(contentsOf:options:)`` does better by transparency and orientation.
    ///
    /// - Throws: ``ImageFileError``, naming `path`, where the file is missing, unreadable,
    ///   no regular file, empty, neither PNG nor JPEG, truncated, damaged, of a kind that
    ///   cannot be decoded, or larger than `PixelSize.maximumPixelCount` pixels; the
    ///   size is judged before any memory is set aside for the pixels.
    public init(contentsOf path: String) throws(ImageFileError) {
        try self.init(contentsOf: path, options: ImageReadingOptions())
    }

    /// Reads a PNG or JPEG file, told apart by its first bytes, and turns it or lays it over a
    /// background as `options` say. Gamma and colour profiles are ignored.
    ///
    /// - Throws: as ``init(contentsOf:)``; with a background, also for a `tRNS` chunk of a length
    ///   that its picture cannot have, for which Pillow raises as well.
    public init(
        contentsOf path: String, options: ImageReadingOptions
    ) throws(ImageFileError) {
        try self.init(file: InputFile(path: path), options: options)
    }

    /// Decodes a PNG or JPEG file that is in memory already, as ``init(contentsOf:options:)`` does
    /// one on disk.
    ///
    /// - Parameters:
    ///   - bytes: the whole file; not held on to.
    ///   - path: what errors call the file; nothing is read from there.
    ///   - options: whether to turn the picture, and what to lay it over.
    /// - Throws: ``ImageFileError``, naming `path`, where there are no bytes, or they are neither
    ///   PNG nor JPEG, truncated, damaged, of a kind that cannot be decoded, or larger than
    ///   `PixelSize.maximumPixelCount` pixels.
    public init(
        decoding bytes: UnsafeRawBufferPointer, path: String,
        options: ImageReadingOptions = ImageReadingOptions()
    ) throws(ImageFileError) {
        try self.init(file: InputFile(bytes: bytes, path: path), options: options)
    }

    private init(file: InputFile, options: ImageReadingOptions) throws(ImageFileError) {
        let firstBytes = try file.firstBytes(ImageFileFormat.longestSignature)
        let image: RGBImage
        var metadata = PictureMetadata()
        switch ImageFileFormat(firstBytes: firstBytes) {
        case .png:
            if options != ImageReadingOptions() { metadata = try PictureMetadata(ofPNG: file) }
            image = try PNGReader(file: file).read(
                over: options.background, transparency: metadata.transparency)
        case .jpeg:
            if options.appliesOrientation { metadata = try PictureMetadata(ofJPEG: file) }
            image = try JPEGReader(file: file).read()
        case nil:
            throw .unsupportedFormat(path: file.path)
        }
        self = options.appliesOrientation ? image.oriented(metadata.orientation) : image
    }
}
