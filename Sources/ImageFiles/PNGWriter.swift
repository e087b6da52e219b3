import CImageFiles
import Glibc
import Imaging

/// Encodes a picture as an 8-bit RGB PNG file.
final class PNGWriter {
    private let writer: OpaquePointer
    private let path: String

    /// A writer to `stream`, which stays the caller's to close; `path` is for messages.
    ///
    /// - Throws: ``ImageFileError/unwritable(path:reason:)`` where memory runs out.
    init(stream: UnsafeMutablePointer<FILE>, path: String) throws(ImageFileError) {
        guard let writer = gpi_png_writer_create(stream) else {
            throw .unwritable(path: path, reason: "out of memory")
        }
        self.writer = writer
        self.path = path
    }

    deinit { gpi_png_writer_destroy(writer) }

    /// Writes the whole file; to be called once.
    ///
    /// - Throws: ``ImageFileError/unwritable(path:reason:)``.
    func write(_ image: RGBImage, texts: [PNGText]) throws(ImageFileError) {
        for text in texts {
            try check(gpi_png_writer_add_text(writer, text.key, text.value, text.isUTF8))
        }
        guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height)
        else {
            throw .unwritable(path: path, reason: "PNG cannot hold \(image.size) pixels")
        }
        try check(gpi_png_writer_write(writer, image.pixels, width, height))
    }

    private func check(_ succeeded: Bool) throws(ImageFileError) {
        guard !succeeded else { return }
        let reason = String(cString: gpi_png_writer_message(writer))
        throw .unwritable(path: path, reason: reason)
    }
}
