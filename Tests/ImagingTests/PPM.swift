import TestSupport
import Imaging

/// The plainest of picture formats, in which the tests and the reference exchange pixels
/// without the code under test having a part in it.
enum PPM {
    struct Malformed: Error {
        let name: String
    }

    static func read(_ name: String, in folder: TemporaryFolder) throws -> RGBImage {
        let bytes = try folder.read(name)
        // "P6", the width, the height and the largest sample, each ended by one white space.
        var fields: [String] = []
        var position = 0
        while fields.count < 4, let end = bytes[position...].firstIndex(where: { $0 <= 32 }) {
            fields.append(String(decoding: bytes[position..<end], as: UTF8.self))
            position = end + 1
        }
        guard fields.count == 4, fields[0] == "P6", fields[3] == "255",
            let width = Int(fields[1]), let height = Int(fields[2])
        else { throw Malformed(name: name) }
        return try RGBImage(width: width, height: height, pixels: Array(bytes[position...]))
    }

    static func write(_ image: RGBImage, to name: String, in folder: TemporaryFolder) throws {
        try folder.write(
            Array("P6\n\(image.width) \(image.height)\n255\n".utf8) + image.pixels, to: name)
    }
}
