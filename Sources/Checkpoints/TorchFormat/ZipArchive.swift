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
    private let bytes: UnsafeRawBufferPointer
    private let path: String

    /// Whether a file begins as a zip file with entries does.
    static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = ByteReader(bytes)
        return reader.integer() == ZipSignature.localHeader
    }

    /// - Parameters:
    ///   - bytes: the whole file, which has to stay where it is as long as this lives.
    ///   - path: what errors name.
    /// - Throws: `CheckpointError.malformed` or `.refused`.
    init(of bytes: UnsafeRawBufferPointer, path: String) throws {
        self.bytes = bytes
        self.path = path
        entries = try ZipDirectoryReader(bytes: bytes, path: path).entries()
    }

    /// An entry's bytes; the directory was found to keep within the file.
    func contents(of entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[entry.range])
    }

    /// An entry's bytes, checked against the directory's checksum.
    /// - Throws: `CheckpointError.malformed`.
    func checkedContents(of entry: Entry) throws -> UnsafeRawBufferPointer {
        let contents = contents(of: entry)
        guard CRC32.checksum(of: contents) == entry.checksum else {
            throw CheckpointError.malformed(
                path: path, place: "zip entry \(quoted(entry.name))",
                reason: "Its checksum is not the one in the directory.")
        }
        return contents
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
    /// Of the attributes, which are those of MS-DOS.
    static let folder: UInt32 = 1 << 4
}
