import CImageFiles
import Imaging

/// What reading PNG and reading JPEG have in common.
enum Decoding {
    /// The size that a header declares, once it is known to be acceptable.
    ///
    /// - Throws: ``ImageFileError/undecodable(path:reason:)`` where a side is 0,
    ///   ``ImageFileError/tooManyPixels(path:size:)`` beyond
    ///   ``PixelSize/maximumPixelCount``.
    static func acceptedSize(
        width: UInt32, height: UInt32, path: String
    ) throws(ImageFileError) -> PixelSize {
        let size = PixelSize(width: Int(width), height: Int(height))
        guard let count = size.pixelCount else {
            throw .undecodable(path: path, reason: "it declares \(size) pixels")
        }
        guard count <= PixelSize.maximumPixelCount else {
            throw .tooManyPixels(path: path, size: size)
        }
        return size
    }

    /// Throws unless a file can hold a picture, so that no small file takes the memory of a large
    /// picture before it turns out to be cut short.
    ///
    /// - Parameter leastByteCount: how many bytes the picture takes at the very least.
    /// - Throws: ``ImageFileError/truncated(path:)``.
    static func requireRoom(
        for leastByteCount: Int, in file: InputFile
    ) throws(ImageFileError) {
        guard leastByteCount <= file.byteCount else { throw .truncated(path: file.path) }
    }

    /// Throws unless `status` says that all went well; `message` is the library's.
    static func check(
        _ status: gpi_decode_status, message: UnsafePointer<CChar>?, path: String
    ) throws(ImageFileError) {
        guard status != GPI_DECODE_OK else { return }
        let reason = message.map { String(cString: $0) } ?? ""
        switch status {
        case GPI_DECODE_TRUNCATED: throw .truncated(path: path)
        case GPI_DECODE_UNREADABLE: throw .unreadable(path: path, reason: reason)
        default: throw .undecodable(path: path, reason: reason)
        }
    }

    /// A picture of samples whose number follows from `size`.
    static func image(
        _ size: PixelSize, _ pixels: [UInt8], path: String
    ) throws(ImageFileError) -> RGBImage {
        do {
            return try RGBImage(width: size.width, height: size.height, pixels: pixels)
        } catch {
            throw .undecodable(path: path, reason: error.description)
        }
    }
}
