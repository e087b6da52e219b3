/// The 256 printable scalars that stand for the 256 bytes in a vocabulary.
///
/// GPT-2's table (`bytes_to_unicode` in openai/gpt-2, `src/encoder.py`): a visible Latin-1 scalar stands for
/// its own number, the other bytes follow from U+0100 on.
struct ByteLevelAlphabet: Sendable {
    static let shared = ByteLevelAlphabet()

    /// The scalar of each byte.
    let scalars: [Unicode.Scalar]
    private let bytes: [Unicode.Scalar: UInt8]

    private init() {
        var scalars: [Unicode.Scalar] = []
        var bytes: [Unicode.Scalar: UInt8] = [:]
        var next: UInt16 = 0x100
        for byte in UInt8.min...UInt8.max {
            let scalar: Unicode.Scalar
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                scalar = Unicode.Scalar(byte)
            default:
                scalar = Unicode.Scalar(next) ?? "\u{FFFD}"
                next += 1
            }
            scalars.append(scalar)
            bytes[scalar] = byte
        }
        self.scalars = scalars
        self.bytes = bytes
    }

    /// The bytes that a token stands for; its own UTF-8 if it is not written in this alphabet.
    func bytes(of token: String) -> [UInt8] {
        var result: [UInt8] = []
        for scalar in token.unicodeScalars {
            guard let byte = bytes[scalar] else { return Array(token.utf8) }
            result.append(byte)
        }
        return result
    }
}
