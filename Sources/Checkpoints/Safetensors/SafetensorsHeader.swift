/// The header of a safetensors file: 8 bytes with its length, lowest byte first, then JSON.
///
/// The rules, and the limit of 100 MB, are those of `safetensors/src/tensor.rs`. Beyond them a name
/// may appear only once.
struct SafetensorsHeader {
    /// Size in bytes, as in the reference.
    static let maximumSize = 100_000_000

    /// One tensor's place.
    struct Entry {
        let name: String
        let dtype: SafetensorsDType
        let shape: [Int]
        /// Its bytes, counted from the beginning of the file.
        let range: Range<Int>
    }

    /// In the order of the data.
    let entries: [Entry]
    /// The free texts under `__metadata__`.
    let metadata: [String: String]

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - path: what errors name.
    /// - Throws: `CheckpointError.malformed` for whatever breaks a rule.
    init(of bytes: UnsafeRawBufferPointer, path: String) throws {
        let dataStart = try Self.dataStart(in: bytes, path: path)
        let json = UnsafeRawBufferPointer(rebasing: bytes[Self.lengthSize..<dataStart])
        var parser = Parser(path: path, dataStart: dataStart)
        var reader = JSONReader(json, path: path, start: Self.lengthSize)
        try parser.read(&reader)
        try parser.checkCover(upTo: bytes.count)
        (entries, metadata) = (parser.entries, parser.metadata)
    }

    private static let lengthSize = 8

    private static func dataStart(in bytes: UnsafeRawBufferPointer, path: String) throws -> Int {
        func malformed(_ reason: String) -> CheckpointError {
            .malformed(path: path, place: "length of the header, byte 0", reason: reason)
        }
        var reader = ByteReader(bytes)
        guard let length: UInt64 = reader.integer() else {
            throw malformed("The file is too short to be safetensors.")
        }
        guard length <= maximumSize, let size = Int(exactly: length) else {
            throw malformed(
                """
                It claims a header of \(length) bytes; \(maximumSize) are allowed. Perhaps it is no \
                safetensors file.
                """)
        }
        guard size <= bytes.count - lengthSize else {
            throw malformed(
                "It claims a header of \(size) bytes, but the file has only \(bytes.count).")
        }
        return lengthSize + size
    }
}

// MARK: - Reading

extension SafetensorsHeader {
    /// Collects the entries; a tensor's range is checked with its dtype and shape, all ranges
    /// together at the end.
    private struct Parser {
        let path: String
        let dataStart: Int
        var entries: [Entry] = []
        var metadata: [String: String] = [:]

        mutating func read(_ reader: inout JSONReader) throws {
            var entries: [Entry] = []
            var metadata: [String: String] = [:]
            try reader.object { reader, name in
                if name == "__metadata__" {
                    try reader.object { reader, key in metadata[key] = try reader.string() }
                } else {
                    entries.append(try entry(named: name, &reader))
                }
            }
            try reader.end()
            self.entries = entries.sorted {
                ($0.range.lowerBound, $0.range.upperBound) < (
                    $1.range.lowerBound, $1.range.upperBound
                )
            }
            self.metadata = metadata
        }

        private func entry(named name: String, _ reader: inout JSONReader) throws -> Entry {
            var dtypeName: String?
            var shape: [Int]?
            var offsets: [Int] = []
            try reader.object { reader, key in
                switch key {
                case "dtype": dtypeName = try reader.string()
                case "shape": shape = try Self.integers(&reader, limit: TensorGeometry.maximumRank)
                case "data_offsets": offsets = try Self.integers(&reader, limit: 2)
                default: try reader.skipValue()
                }
            }
            guard let dtypeName, let shape, offsets.count == 2 else {
                throw reader.malformed(
                    "Tensor \(quoted(name)) lacks its dtype, its shape or its two data_offsets.")
            }
            guard let dtype = SafetensorsDType(rawValue: dtypeName) else {
                throw CheckpointError.unsupportedDType(path: path, name: name, dtype: dtypeName)
            }
            guard offsets[0] <= offsets[1], let begin = TensorGeometry.sum(offsets[0], dataStart),
                let end = TensorGeometry.sum(offsets[1], dataStart)
            else {
                throw malformed(name, "Its data_offsets \(offsets) are no range.")
            }
            guard let count = TensorGeometry.elementCount(of: shape),
                let bits = TensorGeometry.product([count, dtype.bitCount])
            else {
                throw malformed(name, "Its shape \(shape) is too large.")
            }
            guard bits % 8 == 0, bits / 8 == end - begin else {
                throw malformed(
                    name,
                    """
                    Shape \(shape) in \(dtypeName) does not fill the \(end - begin) bytes of its \
                    data_offsets.
                    """)
            }
            return Entry(name: name, dtype: dtype, shape: shape, range: begin..<end)
        }

        /// Every byte of the data belongs to exactly one tensor.
        func checkCover(upTo fileSize: Int) throws {
            var reached = dataStart
            for entry in entries {
                guard entry.range.lowerBound == reached else {
                    let fault =
                        entry.range.lowerBound < reached
                        ? "overlaps the tensor before it" : "leaves a hole before it"
                    throw malformed(entry.name, "It \(fault) in the data.")
                }
                guard entry.range.upperBound <= fileSize else {
                    throw malformed(
                        entry.name,
                        """
                        Its data end at byte \(entry.range.upperBound), but the file has \(fileSize). \
                        The file was cut short.
                        """)
                }
                reached = entry.range.upperBound
            }
            guard reached == fileSize else {
                throw CheckpointError.malformed(
                    path: path, place: "byte \(reached)",
                    reason: "\(fileSize - reached) bytes after the last tensor belong to none.")
            }
        }

        private func malformed(_ name: String, _ reason: String) -> CheckpointError {
            .malformed(path: path, place: "tensor \(quoted(name))", reason: reason)
        }

        private static func integers(_ reader: inout JSONReader, limit: Int) throws -> [Int] {
            var integers: [Int] = []
            try reader.array { reader in
                integers.append(try reader.integer())
                guard integers.count <= limit else {
                    throw reader.malformed("A list has more than \(limit) numbers.")
                }
            }
            return integers
        }
    }
}
