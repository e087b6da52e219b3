import Imaging

/// The orientation in EXIF data, which is a TIFF file (TIFF 6.0, section 2), read the way of
/// Pillow's `Exif` and `ImageFileDirectory_v2`.
struct EXIFOrientation {
    /// What precedes EXIF data in a JPEG file.
    static let marker = Array("Exif\0\0".utf8)

    private static let tag: UInt16 = 0x0112
    private static let headerLength = 8
    private static let entryLength = 12

    private let tiff: ArraySlice<UInt8>
    private let isBigEndian: Bool

    /// The orientation that EXIF data holds; nil where they hold none.
    ///
    /// Data that are no TIFF file, over which Pillow raises, and values that are no orientation
    /// count as ``Orientation/topLeft``. Where a directory is damaged, what precedes the damage
    /// counts.
    static func find(in exif: [UInt8]) -> Orientation? {
        var tiff = exif[...]
        for _ in 0..<2 where tiff.starts(with: marker) { tiff = tiff.dropFirst(marker.count) }
        guard !tiff.isEmpty else { return nil }
        guard let file = EXIFOrientation(tiff: tiff) else { return .topLeft }
        return file.orientation
    }

    /// Nil where the data do not begin as a TIFF file does.
    private init?(tiff: ArraySlice<UInt8>) {
        // The last three are wrong, but Pillow takes them.
        let signatures: [[UInt8]] = [
            [0x4D, 0x4D, 0x00, 0x2A], [0x49, 0x49, 0x2A, 0x00], [0x4D, 0x4D, 0x2A, 0x00],
            [0x49, 0x49, 0x00, 0x2A], [0x4D, 0x4D, 0x00, 0x2B],
        ]
        guard tiff.count >= Self.headerLength, signatures.contains(where: tiff.starts) else {
            return nil
        }
        self.tiff = tiff
        isBigEndian = tiff.first == UInt8(ascii: "M")
    }

    private var orientation: Orientation? {
        guard let start = number(at: 4, length: 4).flatMap({ Int(exactly: $0) }),
            let count = number(at: start, length: 2)
        else { return nil }
        var seen: Set<UInt16> = []
        var totalLength = 0
        for index in 0..<Int(count) {
            let entry = start + 2 + index * Self.entryLength
            guard let tag = number(at: entry, length: 2),
                let type = number(at: entry + 2, length: 2),
                let valueCount = number(at: entry + 4, length: 4),
                let offset = number(at: entry + 8, length: 4)
            else { return nil }
            let tagNumber = UInt16(truncatingIfNeeded: tag)
            guard !seen.contains(tagNumber), let kind = Kind(rawValue: type) else { continue }

            let length = Int(valueCount) * kind.length
            var place = entry + 8
            if length > 4 {
                // Pillow passes over what cannot be there, but stops at what is cut short.
                totalLength += length
                guard totalLength <= tiff.count else { continue }
                place = Int(offset)
                guard place + length <= tiff.count else { return nil }
            }
            guard length > 0 else { continue }
            guard tagNumber == Self.tag else {
                seen.insert(tagNumber)
                continue
            }
            return value(kind, at: place).flatMap(Int.init(exactly:))
                .flatMap(Orientation.init(rawValue:)) ?? .topLeft
        }
        return nil
    }

    /// The types of values, by their number in TIFF 6.0, and two that came later.
    private enum Kind: UInt64 {
        case byte = 1
        case ascii, short, long, rational, signedByte, undefined, signedShort, signedLong
        case signedRational, float, double, directory
        case long8 = 16

        /// The length of a single value in bytes.
        var length: Int {
            switch self {
            case .byte, .ascii, .signedByte, .undefined: 1
            case .short, .signedShort: 2
            case .long, .signedLong, .float, .directory: 4
            case .rational, .signedRational, .double, .long8: 8
            }
        }
    }

    /// The first value at a place; nil where it is a text or bytes, which Pillow does not take for
    /// numbers, or is not there.
    private func value(_ kind: Kind, at place: Int) -> Double? {
        guard let bits = number(at: place, length: kind.length) else { return nil }
        switch kind {
        case .byte, .ascii, .undefined: return nil
        case .short, .long, .directory, .long8: return Double(bits)
        case .signedByte: return Double(Int8(truncatingIfNeeded: bits))
        case .signedShort: return Double(Int16(truncatingIfNeeded: bits))
        case .signedLong: return Double(Int32(truncatingIfNeeded: bits))
        case .float: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .double: return Double(bitPattern: bits)
        case .rational, .signedRational:
            guard let numerator = number(at: place, length: 4),
                let denominator = number(at: place + 4, length: 4), denominator != 0
            else { return nil }
            return kind == .rational
                ? Double(numerator) / Double(denominator)
                : Double(Int32(truncatingIfNeeded: numerator))
                    / Double(Int32(truncatingIfNeeded: denominator))
        }
    }

    /// An unsigned number of up to 8 bytes, or nil where it does not lie within the data.
    private func number(at place: Int, length: Int) -> UInt64? {
        guard place >= 0, place <= tiff.count - length else { return nil }
        let first = tiff.startIndex + place
        let bytes = tiff[first..<first + length]
        let ordered = isBigEndian ? Array(bytes) : bytes.reversed()
        return ordered.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
