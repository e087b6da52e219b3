import Files
import TestSupport
import Testing

@testable import Hub

@Suite struct SHA256Tests {
    private static let content = (0..<1000).map { UInt8(truncatingIfNeeded: 7 * $0) }

    @Test func everyLengthHashesAsInPython() throws {
        let expected = try PythonReference("reference.py").run(
            "hash_lengths", "\(Self.content.count)", answer: [String].self)
        for (length, digest) in expected.enumerated() {
            var hash = SHA256()
            Self.content[..<length].withUnsafeBytes { hash.add($0) }
            #expect(hash.hexDigest == digest)
        }
    }

    @Test func piecesHashAsTheWhole() {
        var whole = SHA256()
        Self.content.withUnsafeBytes { whole.add($0) }
        for size in 1...130 {
            var hash = SHA256()
            for start in stride(from: 0, to: Self.content.count, by: size) {
                Self.content[start..<min(start + size, Self.content.count)].withUnsafeBytes {
                    hash.add($0)
                }
                // Asking in between changes nothing.
                _ = hash.hexDigest
            }
            #expect(hash.hexDigest == whole.hexDigest)
        }
    }

    @Test func aDigestIsOneInLowerCaseOnly() {
        let digest = SHA256().hexDigest
        #expect(SHA256.isDigest(digest))
        #expect(!SHA256.isDigest(digest.uppercased()))
        #expect(!SHA256.isDigest(String(digest.dropLast())))
    }
}
