import CImageFiles
import Imaging

/// Decodes a PNG file to the pixels that Pillow's `convert("RGB")` gives, or, over a background, to
/// those of its `alpha_composite`.
final class PNGReader {
    /// What a byte of deflated data becomes at most (RFC 1951: 258 bytes for two bits).
    private static let largestExpansion = 1032

    private let file: InputFile
    private let reader: OpaquePointer

    /// A reader of a file that has not been read from yet.
    ///
    /// - Throws: ``ImageFileError/undecodable(path:reason:)`` where memory runs out.
    init(file: InputFile) throws(ImageFileError) {
        guard let reader = gpi_png_reader_create(file.stream) else {
            throw .undecodable(path: file.path, reason: "out of memory")
        }
        self.file = file
        self.reader = reader
    }

    deinit { gpi_png_reader_destroy(reader) }

    /// Decodes the picture; to be called once.
    ///
    /// - Parameters:
    ///   - background: what shows through; nil drops transparency.
    ///   - transparency: the contents of the `tRNS` chunk, nil where there is none; used only with
    ///     a background.
    /// - Throws: ``ImageFileError``, as the public reading of a file does.
    func read(
        over background: RGBColor?, transparency: [UInt8]?
    ) throws(ImageFileError) -> RGBImage {
        var header = gpi_png_header()
        try check(gpi_png_reader_read_header(reader, &header))
        let size = try Decoding.acceptedSize(
            width: header.width, height: header.height, path: file.path)

        // Neither factor can be large where the size is acceptable.
        let storedByteCount = size.height * Int(header.stored_row_bytes)
        try Decoding.requireRoom(for: storedByteCount / Self.largestExpansion, in: file)
        if let background,
            let composition = try PNGComposition(
                header, transparency: transparency, over: background, path: file.path)
        {
            let rows = try rows(size, channels: composition.channels, GPI_PNG_AS_STORED)
            return try Decoding.image(size, composition.rgb(rows), path: file.path)
        }
        let channels = header.is_grey16 ? 2 : RGBImage.channels
        let rows = try rows(size, channels: channels, GPI_PNG_AS_RGB)
        return try Decoding.image(
            size, header.is_grey16 ? Self.rgb(fromGrey16: rows) : rows, path: file.path)
    }

    private func rows(
        _ size: PixelSize, channels: Int, _ layout: gpi_png_layout
    ) throws(ImageFileError) -> [UInt8] {
        let rowBytes = size.width * channels
        var rows = [UInt8](repeating: 0, count: size.height * rowBytes)
        try check(gpi_png_reader_read_rows(reader, layout, &rows, rowBytes))
        return rows
    }

    private func check(_ status: gpi_decode_status) throws(ImageFileError) {
        try Decoding.check(status, message: gpi_png_reader_message(reader), path: file.path)
    }

    /// RGB samples of 16-bit big-endian grey, which Pillow's `I16_RGB` (`Convert.c`) does
    /// not scale down but clips: every grey above 255 is white.
    private static func rgb(fromGrey16 samples: [UInt8]) -> [UInt8] {
        let greyCount = samples.count / 2
        var pixels = [UInt8](repeating: 0, count: greyCount * RGBImage.channels)
        for index in 0..<greyCount {
            let grey = samples[2 * index] == 0 ? samples[2 * index + 1] : 255
            for channel in 0..<RGBImage.channels {
                pixels[index * RGBImage.channels + channel] = grey
            }
        }
        return pixels
    }
}
