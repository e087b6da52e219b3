/// The order in which people number files: picture 9 before picture 10, whatever the zeros.
public enum NaturalOrder {
    /// Compares digits by the number that they make, all else byte by byte, where the end of a folder's
    /// name precedes everything; of texts that are equal so, the one that is less byte by byte precedes.
    public static func precedes(_ one: String, _ other: String) -> Bool {
        var (a, b) = (Array(one.utf8)[...], Array(other.utf8)[...])
        while let (x, y) = firsts(a, b) {
            if isDigit(x) && isDigit(y) {
                let (m, n) = (takeNumber(&a), takeNumber(&b))
                if m.count != n.count { return m.count < n.count }
                if m != n { return m.lexicographicallyPrecedes(n) }
            } else if x != y {
                return rank(x) < rank(y)
            } else {
                a = a.dropFirst()
                b = b.dropFirst()
            }
        }
        if a.isEmpty != b.isEmpty { return a.isEmpty }
        return one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    private static func firsts(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> (UInt8, UInt8)? {
        guard let x = a.first, let y = b.first else { return nil }
        return (x, y)
    }

    /// The digits at the beginning without leading zeros; they are taken away.
    private static func takeNumber(_ text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = text.prefix(while: isDigit)
        text = text.dropFirst(digits.count)
        return digits.drop { $0 == UInt8(ascii: "0") }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
