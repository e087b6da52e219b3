/// Reads a zip file's directory: the record at its end, the entries, and the header before each
/// entry's bytes.
struct ZipDirectoryReader {
    let bytes: UnsafeRawBufferPointer
    let path: String

    private static let endSize = 22
    private static let end64Size = 56
    private static let locatorSize = 20
    private static let extraZip64: UInt16 = 1

    /// Where the directory is: the end of it is where the records at the file's end begin.
    private struct Place {
        let count: Int
        let range: Range<Int>
    }

    /// An entry as the directory has it.
    private struct Listed {
        let name: String
        let flags: UInt16
        let checksum: UInt32
        let size: Int
        let headerOffset: Int
    }

    func entries() throws -> [ZipArchive.Entry] {
        let place = try directory()
        var reader = ByteReader(bytes, at: place.range.lowerBound)
        var names: Set<String> = []
        var entries: [(headerOffset: Int, entry: ZipArchive.Entry)] = []
        while reader.position < place.range.upperBound {
            let listed = try nextListed(&reader)
            guard names.insert(listed.name).inserted else {
                throw refused(listed.name, "Its name appears twice.")
            }
            let range = try dataRange(of: listed, before: place.range.lowerBound)
            entries.append(
                (
                    listed.headerOffset,
                    .init(name: listed.name, range: range, checksum: listed.checksum)
                ))
        }
        guard reader.position == place.range.upperBound, entries.count == place.count else {
            throw malformed(
                "its directory", "It has not the size or the number of entries that it claims.")
        }
        entries.sort { $0.headerOffset < $1.headerOffset }
        for (previous, next) in zip(entries, entries.dropFirst())
        where next.headerOffset < previous.entry.range.upperBound {
            throw refused(next.entry.name, "It overlaps \(quoted(previous.entry.name)).")
        }
        return entries.map(\.entry)
    }

    // MARK: - The end

    private func directory() throws -> Place {
        let endOffset = try findEnd()
        var reader = ByteReader(bytes, at: endOffset + 4)
        guard let disk: UInt16 = reader.integer(), let firstDisk: UInt16 = reader.integer(),
            let countHere: UInt16 = reader.integer(), let count: UInt16 = reader.integer(),
            let size: UInt32 = reader.integer(), let offset: UInt32 = reader.integer()
        else { throw truncated("the record at its end") }
        guard disk == 0, firstDisk == 0, countHere == count else {
            throw malformed("the record at its end", "It says that the archive has several parts.")
        }
        if let large = try directory64(endOffset: endOffset) {
            let agrees =
                (count == .max || UInt64(count) == large.count)
                && (size == .max || UInt64(size) == large.size)
                && (offset == .max || UInt64(offset) == large.offset)
            guard agrees else {
                throw malformed("the records at its end", "They contradict each other.")
            }
            return try place(
                count: large.count, size: large.size, offset: large.offset, end: large.recordOffset)
        }
        return try place(
            count: UInt64(count), size: UInt64(size), offset: UInt64(offset), end: endOffset)
    }

    /// The record stands at the end of the file, before a comment whose length it tells.
    private func findEnd() throws -> Int {
        let last = bytes.count - Self.endSize
        guard last >= 0 else { throw truncated("the record at its end") }
        for offset in stride(from: last, through: max(0, last - Int(UInt16.max)), by: -1) {
            var signature = ByteReader(bytes, at: offset)
            guard signature.integer() == ZipSignature.end else { continue }
            var comment = ByteReader(bytes, at: offset + Self.endSize - 2)
            if let length: UInt16 = comment.integer(),
                offset + Self.endSize + Int(length) == bytes.count
            {
                return offset
            }
        }
        throw truncated("the record at its end")
    }

    private struct Directory64 {
        let count: UInt64
        let size: UInt64
        let offset: UInt64
        let recordOffset: Int
    }

    /// The zip64 record, if a locator for it stands before the record at the end.
    private func directory64(endOffset: Int) throws -> Directory64? {
        var locator = ByteReader(bytes, at: endOffset - Self.locatorSize)
        guard locator.integer() == ZipSignature.end64Locator else { return nil }
        guard let disk: UInt32 = locator.integer(), let claimed: UInt64 = locator.integer(),
            let disks: UInt32 = locator.integer(), disk == 0, disks <= 1
        else { throw malformed("the zip64 locator", "It says that the archive has several parts.") }
        let recordOffset = endOffset - Self.locatorSize - Self.end64Size
        guard UInt64(exactly: recordOffset) == claimed else {
            throw malformed(
                "the zip64 locator", "The record that it points to is not the one before it.")
        }
        var reader = ByteReader(bytes, at: recordOffset)
        guard reader.integer() == ZipSignature.end64, let size: UInt64 = reader.integer(),
            size == UInt64(Self.end64Size - 12), reader.take(4) != nil,
            let thisDisk: UInt32 = reader.integer(), let firstDisk: UInt32 = reader.integer(),
            let countHere: UInt64 = reader.integer(), let count: UInt64 = reader.integer(),
            let directorySize: UInt64 = reader.integer(), let offset: UInt64 = reader.integer(),
            thisDisk == 0, firstDisk == 0, countHere == count
        else { throw malformed("the zip64 record", "It is not as it should be.") }
        return Directory64(
            count: count, size: directorySize, offset: offset, recordOffset: recordOffset)
    }

    private func place(count: UInt64, size: UInt64, offset: UInt64, end: Int) throws -> Place {
        guard let count = Int(exactly: count), let size = Int(exactly: size),
            let offset = Int(exactly: offset), TensorGeometry.sum(offset, size) == end
        else {
            throw malformed("its directory", "It does not end where the records at the end begin.")
        }
        return Place(count: count, range: offset..<end)
    }

    // MARK: - Entries

    private func nextListed(_ reader: inout ByteReader) throws -> Listed {
        let place = "its directory, byte \(reader.position)"
        guard reader.integer() == ZipSignature.directoryEntry, reader.take(4) != nil,
            let flags: UInt16 = reader.integer(), let method: UInt16 = reader.integer(),
            reader.take(4) != nil, let checksum: UInt32 = reader.integer(),
            let packed: UInt32 = reader.integer(), let size: UInt32 = reader.integer(),
            let nameLength: UInt16 = reader.integer(), let extraLength: UInt16 = reader.integer(),
            let commentLength: UInt16 = reader.integer(), let disk: UInt16 = reader.integer(),
            reader.take(2) != nil, let attributes: UInt32 = reader.integer(),
            let offset: UInt32 = reader.integer(),
            let name = reader.text(Int(nameLength)), let extra = reader.take(Int(extraLength)),
            reader.take(Int(commentLength)) != nil
        else { throw malformed(place, "An entry is incomplete, or its name is not valid UTF-8.") }
        guard flags & (ZipFlags.encrypted | ZipFlags.strongEncryption) == 0 else {
            throw refused(name, "It is encrypted.")
        }
        guard method == 0 else {
            throw refused(name, "It is compressed (method \(method)), which torch never does.")
        }
        guard disk == 0 else { throw refused(name, "It is in another part of the archive.") }
        // torch gives out zeros, or what happens to be in memory, for a folder's contents.
        guard attributes & ZipFlags.folder == 0 else { throw refused(name, "It is a folder.") }
        var large = ByteReader(Self.zip64(in: extra))
        guard let fullSize = Self.number(size, &large),
            let fullPacked = Self.number(packed, &large),
            let fullOffset = Self.number(offset, &large), fullSize == fullPacked
        else { throw malformed(place, "The sizes of entry \(quoted(name)) make no sense.") }
        return Listed(
            name: name, flags: flags, checksum: checksum, size: fullSize, headerOffset: fullOffset)
    }

    /// The bytes of an entry, after checking the header before them.
    private func dataRange(of entry: Listed, before limit: Int) throws -> Range<Int> {
        let place = "zip entry \(quoted(entry.name)), byte \(entry.headerOffset)"
        var reader = ByteReader(bytes, at: entry.headerOffset)
        guard reader.integer() == ZipSignature.localHeader, reader.take(2) != nil,
            let flags: UInt16 = reader.integer(), let method: UInt16 = reader.integer(),
            reader.take(4) != nil, let checksum: UInt32 = reader.integer(),
            let packed: UInt32 = reader.integer(), let size: UInt32 = reader.integer(),
            let nameLength: UInt16 = reader.integer(), let extraLength: UInt16 = reader.integer(),
            let name = reader.take(Int(nameLength)), let extra = reader.take(Int(extraLength))
        else { throw malformed(place, "The directory points to no entry.") }
        guard name.elementsEqual(entry.name.utf8), method == 0, flags == entry.flags else {
            throw malformed(place, "Its header and the directory contradict each other.")
        }
        var large = ByteReader(Self.zip64(in: extra))
        let sizesAgree =
            checksum == entry.checksum && Self.number(size, &large) == entry.size
            && Self.number(packed, &large) == entry.size
        let sizesFollow =
            flags & ZipFlags.sizesFollow != 0 && checksum == 0 && size == 0 && packed == 0
        guard sizesAgree || sizesFollow else {
            throw malformed(place, "Its header and the directory contradict each other.")
        }
        let start = reader.position
        guard start <= limit, entry.size <= limit - start else {
            throw malformed(place, "Its \(entry.size) bytes reach into the directory.")
        }
        return start..<start + entry.size
    }

    /// The numbers that were too large for their 32 bits, in the zip64 field of an entry.
    private static func zip64(in extra: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var reader = ByteReader(extra)
        while let kind: UInt16 = reader.integer(), let length: UInt16 = reader.integer(),
            let field = reader.take(Int(length))
        {
            if kind == extraZip64 { return field }
        }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// A number of 32 bits; all ones mean that the next zip64 number stands for it.
    private static func number(_ short: UInt32, _ large: inout ByteReader) -> Int? {
        guard short == .max else { return Int(exactly: short) }
        return large.integer(UInt64.self).flatMap(Int.init(exactly:))
    }

    // MARK: - Errors

    private func truncated(_ place: String) -> CheckpointError {
        malformed(place, "It is missing: the file was cut short, or is no zip file.")
    }

    private func malformed(_ place: String, _ reason: String) -> CheckpointError {
        .malformed(path: path, place: place, reason: reason)
    }

    private func refused(_ name: String, _ reason: String) -> CheckpointError {
        .refused(path: path, place: "zip entry \(quoted(name))", reason: reason)
    }
}
