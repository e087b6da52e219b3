import CSHA256
import Glibc

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
public struct SHA256 {
    private var hash = GPISHA256()

    public init() { gpi_sha256_begin(&hash) }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        gpi_sha256_add(&hash, bytes.baseAddress, bytes.count)
    }

    /// The digest of all bytes so far, in lower-case hexadecimal digits.
    public var hexDigest: String {
        var copy = hash
        var digest = [UInt8](repeating: 0, count: 32)
        gpi_sha256_end(&copy, &digest)
        return digest.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    /// Whether a text is a digest as `hexDigest` writes them.
    public static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy(isHexadecimal)
    }

    /// A digit of a hash as Git and the hub write it: in lower case.
    public static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension SHA256 {
    /// The digest of bytes, as `hexDigest` writes it.
    public static func hexDigest(of bytes: [UInt8]) -> String {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.add($0) }
        return hash.hexDigest
    }

    /// The digest of a file, which is read piece by piece.
    /// - Throws: `ReadError`.
    public static func hexDigest(ofFile path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReadError.now(path) }
        defer { close(descriptor) }
        var hash = SHA256()
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ReadError.now(path) }
            guard count > 0 else { return hash.hexDigest }
            piece.withUnsafeBytes { hash.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
