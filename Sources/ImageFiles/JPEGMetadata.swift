extension PictureMetadata {
    /// Reads the segments of a JPEG file up to its first scan, as Pillow's `JpegImageFile` does;
    /// the file is back at its start.
    ///
    /// What follows damage is not looked at; decoding will tell whether that matters.
    ///
    /// - Throws: ``ImageFileError/unreadable(path:reason:)``.
    init(ofJPEG file: InputFile) throws(ImageFileError) {
        // The third byte of the signature begins the first marker.
        try file.seek(to: 2)
        while let marker = Self.nextMarker(in: file) {
            switch marker {
            case 0xC8, 0xD0...0xD9, 0xF0...0xFD:
                // Nothing belongs to these.
                continue
            case 0xC0...0xFE:
                guard let segment = Self.nextSegment(in: file) else { break }
                if marker == 0xE1 { addApplicationSegment(segment) }
                if marker != 0xDA { continue }
            default:
                break
            }
            // The first scan, or damage.
            break
        }
        try file.seek(to: 0)
    }

    /// The next byte that follows one or several 0xFF and is not 0.
    private static func nextMarker(in file: InputFile) -> UInt8? {
        var isAfterFF = false
        while let byte = file.next() {
            if isAfterFF, byte != 0, byte != 0xFF { return byte }
            isAfterFF = byte == 0xFF
        }
        return nil
    }

    /// The contents of a segment, whose length includes its own two bytes.
    private static func nextSegment(in file: InputFile) -> [UInt8]? {
        guard let length = file.next(2) else { return nil }
        return file.next(max(Int(length[0]) << 8 | Int(length[1]), 2) - 2)
    }

    private mutating func addApplicationSegment(_ segment: [UInt8]) {
        let exifMarker = EXIFOrientation.marker
        let xmpMarker = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
        if segment.starts(with: exifMarker) {
            // Data of more than 64 KB go on in the next segment.
            exif = exif ?? exifMarker
            exif?.append(contentsOf: segment.dropFirst(exifMarker.count))
        } else if segment.starts(with: xmpMarker) {
            xmp = Array(segment.dropFirst(xmpMarker.count))
        }
    }
}
