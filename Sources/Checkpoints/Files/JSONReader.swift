/// Reads JSON (RFC 8259) from front to back, for headers and index files that anyone may have
/// written.
///
/// Stricter than most readers: a name may appear once in an object, nesting has a limit, an integer
/// has digits only. Values are handed over one by one; nothing is kept, so that memory is the
/// caller's choice. Every error names the byte in the file.
struct JSONReader {
    /// As serde_json, which safetensors uses.
    static let maximumDepth = 128

    private let bytes: UnsafeRawBufferPointer
    private let path: String
    /// Where `bytes` begin in the file.
    private let start: Int
    private var position = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer, path: String, start: Int = 0) {
        self.bytes = bytes
        self.path = path
        self.start = start
    }

    /// An error at the place reached.
    func malformed(_ reason: String) -> CheckpointError {
        .malformed(path: path, place: "JSON, byte \(start + position)", reason: reason)
    }

    // MARK: - Values

    /// An object; `member` has to read the value of each name.
    mutating func object(_ member: (inout JSONReader, String) throws -> Void) throws {
        try enter("{", "An object")
        var names: Set<String> = []
        var isFirst = true
        while try !leave("}", isFirst: isFirst) {
            let name = try string()
            guard names.insert(name).inserted else {
                throw malformed("The name \(quoted(name)) appears twice.")
            }
            try expect(":")
            try member(&self, name)
            isFirst = false
        }
    }

    /// An array; `element` has to read each value.
    mutating func array(_ element: (inout JSONReader) throws -> Void) throws {
        try enter("[", "An array")
        var isFirst = true
        while try !leave("]", isFirst: isFirst) {
            try element(&self)
            isFirst = false
        }
    }

    /// A whole number, not negative.
    mutating func integer() throws -> Int {
        skipSpace()
        let digits = takeDigits()
        guard let first = digits.first else {
            throw malformed("A whole number that is not negative is expected here.")
        }
        guard digits.count == 1 || first != UInt8(ascii: "0") else {
            throw malformed("A number begins with 0.")
        }
        if let byte = next, [".", "e", "E"].contains(UnicodeScalar(byte)) {
            throw malformed("A whole number is expected here, not a fraction.")
        }
        var value = 0
        for digit in digits {
            guard let tenfold = TensorGeometry.product([value, 10]),
                let sum = TensorGeometry.sum(tenfold, Int(digit - UInt8(ascii: "0")))
            else { throw malformed("A number is too large.") }
            value = sum
        }
        return value
    }

    mutating func string() throws -> String {
        try expect("\"", "A text in quotes")
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw malformed("A text is not valid UTF-8.")
                }
                return string
            case UInt8(ascii: "\\"):
                try text.append(contentsOf: escaped())
            case 0..<0x20:
                throw malformed("A control character stands in a text.")
            default:
                text.append(byte)
            }
        }
        throw malformed("A text does not end.")
    }

    /// Any value, checked and dropped.
    mutating func skipValue() throws {
        skipSpace()
        switch next.map(UnicodeScalar.init) {
        case "{": try object { reader, _ in try reader.skipValue() }
        case "[": try array { try $0.skipValue() }
        case "\"": _ = try string()
        case "t": try word("true")
        case "f": try word("false")
        case "n": try word("null")
        default: try skipNumber()
        }
    }

    /// After the last value: only white space may follow.
    mutating func end() throws {
        skipSpace()
        guard position == bytes.count else { throw malformed("More text follows the end.") }
    }

    // MARK: - Pieces

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [" ", "\t", "\n", "\r"].contains(UnicodeScalar(byte)) {
            position += 1
        }
    }

    private mutating func expect(_ mark: UnicodeScalar, _ name: String? = nil) throws {
        guard takeMark(mark) else {
            throw malformed("\(name ?? "The character \"\(mark)\"") is expected here.")
        }
    }

    private mutating func takeMark(_ mark: UnicodeScalar) -> Bool {
        skipSpace()
        guard next.map(UnicodeScalar.init) == mark else { return false }
        position += 1
        return true
    }

    private mutating func enter(_ mark: UnicodeScalar, _ name: String) throws {
        try expect(mark, name)
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw malformed("Values are nested more than \(Self.maximumDepth) deep.")
        }
    }

    /// Whether the object or array ends here; before every member but the first takes the comma.
    private mutating func leave(_ mark: UnicodeScalar, isFirst: Bool) throws -> Bool {
        if takeMark(mark) {
            depth -= 1
            return true
        }
        if !isFirst { try expect(",") }
        return false
    }

    private mutating func takeDigits() -> UnsafeRawBufferPointer.SubSequence {
        let begin = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        return bytes[begin..<position]
    }

    private mutating func word(_ word: String) throws {
        for byte in word.utf8 {
            guard next == byte else { throw malformed("A value is expected here.") }
            position += 1
        }
    }

    /// Any number of JSON's grammar.
    private mutating func skipNumber() throws {
        if next == UInt8(ascii: "-") { position += 1 }
        let whole = takeDigits()
        guard let first = whole.first, whole.count == 1 || first != UInt8(ascii: "0") else {
            throw malformed("A value is expected here.")
        }
        if next == UInt8(ascii: ".") {
            position += 1
            guard !takeDigits().isEmpty else { throw malformed("A number ends in a point.") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard !takeDigits().isEmpty else { throw malformed("A number lacks its exponent.") }
        }
    }

    // MARK: - Escapes

    /// What an escape stands for, after its backslash, in UTF-8.
    private mutating func escaped() throws -> [UInt8] {
        let kind = next.map(UnicodeScalar.init)
        position += kind == nil ? 0 : 1
        switch kind {
        case "\"", "\\", "/": return Array(String(kind ?? "/").utf8)
        case "b": return [0x08]
        case "f": return [0x0c]
        case "n": return [0x0a]
        case "r": return [0x0d]
        case "t": return [0x09]
        case "u": return Array(try String(Character(escapedScalar())).utf8)
        default: throw malformed("An unknown escape stands in a text.")
        }
    }

    /// The character of `\uXXXX`, after the "u"; a pair of surrogates makes one.
    private mutating func escapedScalar() throws -> UnicodeScalar {
        let unit = try hexadecimalUnit()
        if let scalar = UnicodeScalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), next == UInt8(ascii: "\\") else {
            throw malformed("Half of a surrogate pair stands alone in a text.")
        }
        position += 1
        guard next == UInt8(ascii: "u") else {
            throw malformed("Half of a surrogate pair stands alone in a text.")
        }
        position += 1
        let trail = try hexadecimalUnit()
        guard UTF16.isTrailSurrogate(trail) else {
            throw malformed("Half of a surrogate pair stands alone in a text.")
        }
        return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
    }

    private mutating func hexadecimalUnit() throws -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw malformed("Four hexadecimal digits are expected here.")
            }
            position += 1
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
