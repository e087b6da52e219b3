import ImageFiles
import Imaging

@testable import Checkpoints

/// Picture files.
enum PictureTargets {
    static let all = [png, jpeg]

    /// Every other input gets right checksums first: few changed files would get past theirs.
    static let png = FuzzTarget(name: "png") { bytes in
        var file = Array(bytes)
        if file.count.isMultiple(of: 2) { repairChecksums(&file) }
        try read(file)
    }

    static let jpeg = FuzzTarget(name: "jpeg") { try read(Array($0)) }

    private static func read(_ file: [UInt8]) throws {
        let path = try file.withUnsafeBytes { try ScratchFolder.shared.write($0, to: "picture") }
        let options = ImageReadingOptions(
            appliesOrientation: true, background: RGBColor(red: 200, green: 100, blue: 50))
        let shown = Result {
            try file.withUnsafeBytes {
                try RGBImage(decoding: $0, path: "picture", options: options)
            }
        }
        let picture = try RGBImage(contentsOf: path)
        try check(picture)
        // Of a sound picture, only the transparency may be refused.
        switch shown {
        case .success(let shown):
            try check(shown)
            let sides = [picture.width, picture.height]
            try Fault.unless(
                [shown.width, shown.height].sorted() == sides.sorted(), "\(shown.size)")
        case .failure(let error):
            try Fault.unless("\(error)".contains("tRNS"), "\(error)")
        }
    }

    private static func check(_ picture: RGBImage) throws {
        try Fault.unless(
            picture.pixels.count == 3 * picture.width * picture.height && !picture.pixels.isEmpty,
            "\(picture.size)")
    }

    /// Writes behind each chunk of a PNG file (length, type, contents) what its checksum should be.
    private static func repairChecksums(_ file: inout [UInt8]) {
        var start = 8
        while start + 12 <= file.count {
            let length = file[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            let end = start + 8 + length
            guard end + 4 <= file.count else { return }
            let checksum = file[start + 4..<end].withUnsafeBytes { CRC32.checksum(of: $0) }
            file.replaceSubrange(end..<end + 4, with: littleEndian(checksum).reversed())
            start = end + 4
        }
    }
}
