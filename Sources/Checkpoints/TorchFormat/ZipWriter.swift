import Files

/// Writes a zip file of stored entries, each at a multiple of 64 bytes, as torch lays out its
/// files.
///
/// Without zip64: entries and archive stay below 4 GB, which is ample for latents.
struct ZipWriter {
    /// Of the first byte of each entry.
    static let alignment = 64
    /// torch reads everything from one folder; this is its name where the file's is not known.
    private static let folder = "archive/"
    /// torch's name for the extra field that moves an entry's bytes to where they should be.
    private static let paddingField: [UInt8] = Array("FB".utf8)
    /// 1 January 1980, the first day that zip files know; equal contents give equal bytes.
    private static let date: UInt16 = 1 << 5 | 1
    /// Of the format, 2.0: plain entries.
    private static let version: UInt16 = 20

    private let path: String
    private var position = 0
    private var count: UInt16 = 0
    private var directory: [UInt8] = []

    /// - Parameter path: named by errors.
    init(path: String) {
        self.path = path
    }

    mutating func add(_ name: String, _ bytes: [UInt8], to file: borrowing AtomicFile) throws {
        try bytes.withUnsafeBytes { try add(name, $0, to: file) }
    }

    mutating func add(
        _ name: String, _ bytes: UnsafeRawBufferPointer, to file: borrowing AtomicFile
    ) throws {
        let name = Array((Self.folder + name).utf8)
        let facts =
            try littleEndian(Self.version) + littleEndian(UInt16(0)) + littleEndian(UInt16(0))
            + littleEndian(UInt16(0)) + littleEndian(Self.date)
            + littleEndian(CRC32.checksum(of: bytes)) + size(bytes.count) + size(bytes.count)
            + littleEndian(UInt16(truncatingIfNeeded: name.count))
        let start = position
        let headerSize = 4 + facts.count + 2 + name.count
        let padding = Self.padding(from: start + headerSize)
        try append(
            littleEndian(ZipSignature.localHeader) + facts
                + littleEndian(UInt16(truncatingIfNeeded: padding.count)) + name + padding, to: file
        )
        try append(bytes, to: file)

        directory +=
            try littleEndian(ZipSignature.directoryEntry) + littleEndian(Self.version) + facts
            + [UInt8](repeating: 0, count: 12) + size(start) + name
        count += 1
    }

    mutating func finish(to file: borrowing AtomicFile) throws {
        let end =
            try littleEndian(ZipSignature.end) + littleEndian(UInt32(0)) + littleEndian(count)
            + littleEndian(count) + size(directory.count) + size(position) + littleEndian(UInt16(0))
        try append(directory + end, to: file)
    }

    private mutating func append(_ bytes: [UInt8], to file: borrowing AtomicFile) throws {
        try bytes.withUnsafeBytes { try append($0, to: file) }
    }

    private mutating func append(
        _ bytes: UnsafeRawBufferPointer, to file: borrowing AtomicFile
    ) throws {
        try file.append(bytes)
        position += bytes.count
    }

    /// An extra field after which the next byte stands at a multiple of `alignment`.
    private static func padding(from offset: Int) -> [UInt8] {
        let fieldHeader = 4
        let length = (alignment - (offset + fieldHeader) % alignment) % alignment
        return paddingField + littleEndian(UInt16(truncatingIfNeeded: length))
            + [UInt8](repeating: UInt8(ascii: "Z"), count: length)
    }

    /// A size or place in the 32 bits that the format has for it.
    private func size(_ number: Int) throws -> [UInt8] {
        guard let short = UInt32(exactly: number), short < .max else {
            throw WriteError(
                path: path, reason: "files of 4 GB and more are not supported")
        }
        return littleEndian(short)
    }
}
