/// `Infinity`, `-Infinity` and `NaN`, which Python writes into JSON and JSON does not have.
enum NonFiniteNumbers {
    static let infinity = "Infinity"
    static let negativeInfinity = "-Infinity"
    static let notANumber = "NaN"

    /// The same JSON with quotes around them, in which a strict decoder finds them.
    ///
    /// (Foundation's lenient decoder, which takes JSON5, ends the process at bytes that are no UTF-8,
    /// and takes comments and more, which Python does not.)
    static func quoted(in json: some Sequence<UInt8>) -> [UInt8] {
        let words = [negativeInfinity, infinity, notANumber].map { Array($0.utf8) }
        let json = Array(json)
        var result: [UInt8] = []
        result.reserveCapacity(json.count)
        var isInText = false
        var position = 0
        while position < json.count {
            let byte = json[position]
            if isInText, byte == UInt8(ascii: "\\") {
                // Whatever is escaped does not end the text.
                result += json[position..<min(position + 2, json.count)]
                position += 2
                continue
            }
            if !isInText, let word = words.first(where: { json[position...].starts(with: $0) }) {
                let quote = UInt8(ascii: "\"")
                result += [quote] + word + [quote]
                position += word.count
                continue
            }
            if byte == UInt8(ascii: "\"") { isInText.toggle() }
            result.append(byte)
            position += 1
        }
        return result
    }
}
