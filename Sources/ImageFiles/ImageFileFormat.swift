/// A format that pictures can be read from, told by a file's first bytes.
enum ImageFileFormat: String, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"

    /// The bytes that every file of the format begins with; for JPEG, those that Pillow
    /// looks at.
    var signature: [UInt8] {
        switch self {
        case .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        case .jpeg: [0xFF, 0xD8, 0xFF]
        }
    }

    /// The length of the longest signature, in bytes.
    static let longestSignature = 8

    /// The format of a file that begins with `bytes`, or nil where it is none of these.
    init?(firstBytes bytes: some Sequence<UInt8>) {
        guard let format = Self.allCases.first(where: { bytes.starts(with: $0.signature) })
        else { return nil }
        self = format
    }
}
