/// A colour of 8-bit red, green and blue samples.
public struct RGBColor: Sendable, Hashable {
    /// The share of red, 0…255.
    public var red: UInt8
    /// The share of green, 0…255.
    public var green: UInt8
    /// The share of blue, 0…255.
    public var blue: UInt8

    /// A colour of three samples, each 0…255.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// All three samples at 0.
    public static let black = RGBColor(red: 0, green: 0, blue: 0)
    /// All three samples at 255.
    public static let white = RGBColor(red: 255, green: 255, blue: 255)

    /// The names that ``init(parsing:)`` knows, with the samples that CSS gives them.
    static let names: [String: (red: UInt8, green: UInt8, blue: UInt8)] = [
        "aqua": (0, 255, 255), "beige": (245, 245, 220), "black": (0, 0, 0),
        "blue": (0, 0, 255), "brown": (165, 42, 42), "cyan": (0, 255, 255),
        "fuchsia": (255, 0, 255), "gray": (128, 128, 128), "green": (0, 128, 0),
        "grey": (128, 128, 128), "ivory": (255, 255, 240), "lightgray": (211, 211, 211),
        "lightgrey": (211, 211, 211), "lime": (0, 255, 0), "magenta": (255, 0, 255),
        "maroon": (128, 0, 0), "navy": (0, 0, 128), "olive": (128, 128, 0),
        "orange": (255, 165, 0), "pink": (255, 192, 203), "purple": (128, 0, 128),
        "red": (255, 0, 0), "silver": (192, 192, 192), "teal": (0, 128, 128),
        "white": (255, 255, 255), "yellow": (255, 255, 0),
    ]

    /// The colour that a text stands for: `#rrggbb` or `#rgb` in hexadecimal, or one of the plain
    /// names of CSS, such as `white`, `black` and `gray` or `grey`. Case does not matter.
    ///
    /// Equal to `PIL.ImageColor.getrgb(text)`, which knows more names and notations.
    ///
    /// - Throws: ``ImagingError/invalidColor(_:)``, which lists what is accepted.
    public init(parsing text: String) throws(ImagingError) {
        if let named = Self.names[text.lowercased()] {
            self.init(red: named.red, green: named.green, blue: named.blue)
            return
        }
        let characters = Array(text.utf8)
        let digits = characters.dropFirst().compactMap(Self.digit)
        guard characters.first == UInt8(ascii: "#"), digits.count == characters.count - 1,
            digits.count == 3 || digits.count == 6
        else { throw .invalidColor(text) }
        // A single digit counts twice: #fa0 is #ffaa00.
        let pairs =
            digits.count == 3
            ? digits.map { $0 << 4 | $0 }
            : stride(from: 0, to: 6, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        self.init(red: pairs[0], green: pairs[1], blue: pairs[2])
    }

    /// The value of a hexadecimal digit in ASCII, or nil where it is none.
    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The samples in the order in which a picture holds them.
    var samples: [UInt8] { [red, green, blue] }
}

extension RGBColor: CustomStringConvertible {
    /// The colour as `#rrggbb`, in lower case, which ``init(parsing:)`` reads.
    public var description: String {
        samples.reduce(into: "#") { text, sample in
            text += (sample < 16 ? "0" : "") + String(sample, radix: 16)
        }
    }
}

extension RGBColor: Codable {
    /// Decodes a text that ``init(parsing:)`` reads.
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes ``description``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
