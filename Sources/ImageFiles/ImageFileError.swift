import Imaging

/// Why a picture file could not be read or written. Every case carries the path, as given.
public enum ImageFileError: Error, Equatable, Sendable {
    /// The operating system would not open or read the file.
    case unreadable(path: String, reason: String)
    /// The path names a directory, a device or another thing that is not a file.
    case notAFile(path: String)
    /// The file holds no bytes.
    case empty(path: String)
    /// The file is neither a PNG nor a JPEG.
    case unsupportedFormat(path: String)
    /// The file ends before its picture does.
    case truncated(path: String)
    /// The file is a picture, but a damaged one or of a kind that cannot be decoded.
    case undecodable(path: String, reason: String)
    /// The picture declares more than `PixelSize.maximumPixelCount` pixels.
    case tooManyPixels(path: String, size: PixelSize)
    /// A text to be stored in a picture does not fit the PNG format.
    case invalidText(path: String, key: String, reason: String)
    /// The file could not be written; what was at the path before is still there.
    case unwritable(path: String, reason: String)
}

extension ImageFileError: CustomStringConvertible {
    /// What is wrong with which file, and what to do about it.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason); check the path and its permissions"
        case .notAFile(let path):
            "\(path): is not a regular file; give the path of a PNG or JPEG file"
        case .empty(let path):
            "\(path): is empty; fetch or export the picture again"
        case .unsupportedFormat(let path):
            "\(path): is not a picture of a supported format; convert it to one of "
                + ImageFileFormat.allCases.map(\.rawValue).joined(separator: ", ")
        case .truncated(let path):
            "\(path): is truncated, the file ends before the picture does; "
                + "fetch or export it again"
        case .undecodable(let path, let reason):
            "\(path): cannot be decoded: \(reason); fetch the picture again, or export it "
                + "as 8-bit RGB"
        case .tooManyPixels(let path, let size):
            "\(path): declares \(size) pixels, over the limit of "
                + "\(PixelSize.maximumPixelCount); scale it down first"
        case .invalidText(let path, let key, let reason):
            "\(path): cannot hold the text \"\(key)\": \(reason)"
        case .unwritable(let path, let reason):
            "\(path): cannot be written: \(reason); check that its folder exists, "
                + "is writable and has room"
        }
    }
}
