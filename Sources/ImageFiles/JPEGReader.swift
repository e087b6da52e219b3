import CImageFiles
import Imaging

/// Decodes a JPEG file to the pixels that Pillow's `convert("RGB")` gives.
final class JPEGReader {
    /// What a byte holds at most: 8 blocks of 8 by 8 pixels with a bit for each, and twice that where
    /// components of different sampling share the pixels. Arithmetic coding gets below a bit, in
    /// pictures of one colour; hence the smallest size that is not looked into.
    private static let largestPixelCountOfByte = 1024
    private static let smallPixelCount = 512 * 512

    private let file: InputFile
    private let reader: OpaquePointer

    /// A reader of a file that has not been read from yet.
    ///
    /// - Throws: ``ImageFileError/undecodable(path:reason:)`` where memory runs out.
    init(file: InputFile) throws(ImageFileError) {
        guard let reader = gpi_jpeg_reader_create(file.stream) else {
            throw .undecodable(path: file.path, reason: "out of memory")
        }
        self.file = file
        self.reader = reader
    }

    deinit { gpi_jpeg_reader_destroy(reader) }

    /// Decodes the picture; to be called once.
    ///
    /// - Throws: ``ImageFileError``, as the public reading of a file does.
    func read() throws(ImageFileError) -> RGBImage {
        var header = gpi_jpeg_header()
        try check(gpi_jpeg_reader_read_header(reader, &header))
        let size = try Decoding.acceptedSize(
            width: header.width, height: header.height, path: file.path)

        let pixelCount = size.width * size.height
        if pixelCount > Self.smallPixelCount {
            try Decoding.requireRoom(for: pixelCount / Self.largestPixelCountOfByte, in: file)
        }
        let rowBytes = size.width * (header.is_cmyk ? CMYK.channels : RGBImage.channels)
        var rows = [UInt8](repeating: 0, count: size.height * rowBytes)
        try check(gpi_jpeg_reader_read_rows(reader, &rows, rowBytes))
        return try Decoding.image(
            size, header.is_cmyk ? CMYK.rgb(fromInverted: rows) : rows, path: file.path)
    }

    private func check(_ status: gpi_decode_status) throws(ImageFileError) {
        try Decoding.check(status, message: gpi_jpeg_reader_message(reader), path: file.path)
    }
}
