import CHub

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
struct SHA256 {
    private var hash = HubSHA256()

    init() { hub_sha256_begin(&hash) }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        hub_sha256_add(&hash, bytes.baseAddress, bytes.count)
    }

    /// The digest of all bytes so far, in lower-case hexadecimal digits.
    var hexDigest: String {
        var copy = hash
        var digest = [UInt8](repeating: 0, count: 32)
        hub_sha256_end(&copy, &digest)
        return digest.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    /// Whether a text is a digest as `hexDigest` writes them.
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy(isHexadecimal)
    }

    /// A digit of a hash as Git and the hub write it: in lower case.
    static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
