extension PictureMetadata {
    private static let signatureLength = 8
    private static let checksumLength = 4

    /// Reads the chunks of a PNG file, also those behind the picture, as Pillow's `PngImageFile`
    /// does; the file is back at its start.
    ///
    /// What follows damage is not looked at; decoding will tell whether that matters.
    ///
    /// - Throws: ``ImageFileError/unreadable(path:reason:)``.
    init(ofPNG file: InputFile) throws(ImageFileError) {
        var position = Self.signatureLength
        var isBehindPicture = false
        while position <= file.byteCount {
            try file.seek(to: position)
            guard let header = file.next(8) else { break }
            let length = header[..<4].reduce(0) { $0 << 8 | Int($1) }
            switch String(decoding: header[4...], as: UTF8.self) {
            case "IEND":
                position = file.byteCount
            case "IDAT":
                isBehindPicture = true
            case "tRNS" where !isBehindPicture:
                transparency = file.next(length) ?? transparency
            case "eXIf":
                if let chunk = file.next(length) { exif = EXIFOrientation.marker + chunk }
            case "tEXt":
                if let chunk = file.next(length) { addText(chunk) }
            case "iTXt":
                if let chunk = file.next(length) { addInternationalText(chunk) }
            default:
                break
            }
            position += 8 + length + Self.checksumLength
        }
        try file.seek(to: 0)
    }

    private static let xmpKey = "XML:com.adobe.xmp"

    /// Key, 0, text.
    private mutating func addText(_ chunk: [UInt8]) {
        let parts = chunk.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        switch String(decoding: parts[0], as: UTF8.self) {
        case "exif": exif = Array(parts[1])
        case Self.xmpKey: xmp = Array(parts[1])
        default: break
        }
    }

    /// Key, 0, whether the text is compressed, how, language, 0, translated key, 0, text.
    private mutating func addInternationalText(_ chunk: [UInt8]) {
        guard let end = chunk.firstIndex(of: 0),
            String(decoding: chunk[..<end], as: UTF8.self) == Self.xmpKey,
            chunk.count > end + 2, chunk[end + 1] == 0
        else { return }
        let parts = chunk[(end + 3)...].split(
            separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return }
        xmp = Array(parts[2])
    }
}
