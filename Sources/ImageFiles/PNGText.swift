/// One text of a PNG file, in the encodings its chunk calls for.
struct PNGText {
    /// The key in Latin-1, ended by a zero.
    let key: [CChar]
    /// The value, in UTF-8 or Latin-1 as ``isUTF8`` says, ended by a zero.
    let value: [CChar]
    /// Whether the value needs UTF-8, and so an `iTXt` chunk rather than a `tEXt` one;
    /// decided as Pillow's `PngInfo.add_text` does, which writes Latin-1 wherever it can.
    let isUTF8: Bool

    /// Encodes `value` under `key`.
    ///
    /// - Throws: ``ImageFileError/invalidText(path:key:reason:)``, naming `path`, where
    ///   the key is not 1 to 79 printable Latin-1 characters without leading, trailing or
    ///   doubled spaces (PNG specification, 11.3.4.2), or the value holds a zero.
    init(key: String, value: String, path: String) throws(ImageFileError) {
        guard let keyBytes = Self.latin1(key), Self.isKeyword(keyBytes) else {
            throw .invalidText(
                path: path, key: key,
                reason: "a key must be 1 to 79 printable Latin-1 characters, with single "
                    + "spaces only between words")
        }
        guard !value.utf8.contains(0) else {
            throw .invalidText(
                path: path, key: key, reason: "a value must not hold a zero character")
        }
        let latin1 = Self.latin1(value)
        self.key = Self.cString(keyBytes)
        self.value = Self.cString(latin1 ?? Array(value.utf8))
        self.isUTF8 = latin1 == nil
    }

    private static func latin1(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func isKeyword(_ bytes: [UInt8]) -> Bool {
        let space = UInt8(ascii: " ")
        let hasStraySpace =
            bytes.first == space || bytes.last == space
            || zip(bytes, bytes.dropFirst()).contains { $0 == (space, space) }
        return 1...79 ~= bytes.count && !hasStraySpace
            && bytes.allSatisfy { 32...126 ~= $0 || 161...255 ~= $0 }
    }

    private static func cString(_ bytes: [UInt8]) -> [CChar] {
        bytes.map { CChar(bitPattern: $0) } + [0]
    }
}
