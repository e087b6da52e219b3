import Files
import Glibc
import Imaging

extension RGBImage {
    /// Writes the picture as an 8-bit RGB PNG file, replacing what was at `path`.
    ///
    /// The file appears complete or not at all: it is written under a temporary name in
    /// the same folder, flushed to disk and renamed.
    ///
    /// - Parameters:
    ///   - path: where to write; its folder must exist.
    ///   - text: texts to store with the picture, by key, in the order of the keys. A key
    ///     is 1 to 79 printable Latin-1 characters. A value goes into a `tEXt` chunk where
    ///     it is Latin-1, else into an `iTXt` chunk, as Pillow's `PngInfo.add_text` does.
    /// - Throws: ``ImageFileError/invalidText(path:key:reason:)`` for a text that PNG
    ///   cannot hold, ``ImageFileError/unwritable(path:reason:)`` where the file cannot be
    ///   written; nothing is left behind, and what was at `path` is still there.
    public func writePNG(to path: String, text: [String: String] = [:]) throws(ImageFileError) {
        var texts: [PNGText] = []
        for (key, value) in text.sorted(by: { $0.key < $1.key }) {
            texts.append(try PNGText(key: key, value: value, path: path))
        }
        do {
            try AtomicFile.write(to: path) { file in
                try file.withStream { stream in
                    try PNGWriter(stream: stream, path: path).write(self, texts: texts)
                }
            }
        } catch let error as ImageFileError {
            throw error
        } catch {
            throw .unwritable(path: path, reason: (error as? WriteError)?.reason ?? "\(error)")
        }
    }

    /// The bytes of an 8-bit RGB PNG file with the picture.
    /// - Throws: ``ImageFileError/unwritable(path:reason:)`` where memory runs out.
    public func pngBytes() throws(ImageFileError) -> [UInt8] {
        let path = "a picture in memory"
        var start: UnsafeMutablePointer<CChar>?
        var count = 0
        guard let stream = open_memstream(&start, &count) else {
            throw .unwritable(path: path, reason: SystemError.words)
        }
        let written: Result<Void, ImageFileError> = Result { () throws(ImageFileError) in
            try PNGWriter(stream: stream, path: path).write(self, texts: [])
        }
        let isClosed = fclose(stream) == 0
        defer { free(start) }
        try written.get()
        guard isClosed, let start else { throw .unwritable(path: path, reason: SystemError.words) }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
