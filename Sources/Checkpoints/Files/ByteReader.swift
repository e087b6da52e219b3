/// Reads bytes from front to back. What would lie outside is nil, whatever number was asked for.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    /// - Parameter position: may lie outside; every read is nil then.
    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The next byte, left where it is.
    var next: UInt8? {
        position >= 0 && position < bytes.count ? bytes[position] : nil
    }

    /// The next `count` bytes.
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, position >= 0, position <= bytes.count, count <= bytes.count - position
        else {
            return nil
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// The next number, stored with its lowest byte first.
    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        take(MemoryLayout<Number>.size).map {
            Number(littleEndian: $0.loadUnaligned(as: Number.self))
        }
    }

    /// The bytes up to the next line feed, which is taken but not given.
    mutating func line() -> UnsafeRawBufferPointer? {
        guard position >= 0, position <= bytes.count,
            let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }

    /// The next `count` bytes as text, or nil if they are no valid UTF-8.
    mutating func text(_ count: Int) -> String? {
        take(count).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
