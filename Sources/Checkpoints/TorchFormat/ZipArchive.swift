/// The directory of a zip file whose entries are stored, as torch writes them: PKWARE's APPNOTE
/// 6.3, sections 4.3 to 4.5, with zip64.
///
/// Readers of zip files differ in what they believe when a file contradicts itself, and attacks
/// live in between. So whatever is written twice (counts, names, sizes) has to agree, names may
/// appear once, and entries may not overlap. Compression, encryption and archives in parts are
/// refused.
struct ZipArchive {
    /// One file in the archive.
    struct Entry {
        let name: String
        /// Its bytes, counted from the beginning of the archive.
        let range: Range<Int>
        let checksum: UInt32
    }

    let entries: [Entry]
    private let path: String

    /// Whether a file begins as a zip file with entries does.
    static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = ByteReader(bytes)
        return reader.integer() == ZipSignature.localHeader
    }

    /// - Throws: `CheckpointError.malformed` or `.refused`.
    init(of file: MappedFile) throws {
        path = file.path
        entries = try file.withBytes { bytes in
            try ZipDirectoryReader(bytes: bytes, path: file.path).entries()
        }
    }

    /// Checks an entry's bytes against the directory.
    /// - Throws: `CheckpointError.malformed`.
    func check(_ entry: Entry, bytes: UnsafeRawBufferPointer) throws {
        guard CRC32.checksum(of: bytes) == entry.checksum else {
            throw CheckpointError.malformed(
                path: path, place: "zip entry \(quoted(entry.name))",
                reason: "Its checksum is not the one in the directory.")
        }
    }
}

/// The first four bytes of each structure in a zip file.
enum ZipSignature {
    static let localHeader: UInt32 = 0x0403_4b50
    static let directoryEntry: UInt32 = 0x0201_4b50
    static let end: UInt32 = 0x0605_4b50
    static let end64: UInt32 = 0x0606_4b50
    static let end64Locator: UInt32 = 0x0706_4b50
}

/// Flags of an entry.
enum ZipFlags {
    static let encrypted: UInt16 = 1 << 0
    /// Sizes and checksum follow the bytes; the local header has zeros.
    static let sizesFollow: UInt16 = 1 << 3
    static let strongEncryption: UInt16 = 1 << 6
}
