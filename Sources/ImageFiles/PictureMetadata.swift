import Imaging

/// What a picture file holds besides samples, as far as it bears on how the picture shows; taken
/// from the places where Pillow looks.
struct PictureMetadata {
    /// EXIF: a TIFF file, which `Exif` and two zeros may precede.
    var exif: [UInt8]?
    /// An XMP packet, in XML.
    var xmp: [UInt8]?
    /// The contents of a PNG file's `tRNS` chunk.
    var transparency: [UInt8]?

    /// The orientation that EXIF has, else XMP, as Pillow's `Image.getexif` gives it; as it is
    /// stored where neither has one.
    var orientation: Orientation {
        exif.flatMap(EXIFOrientation.find) ?? xmp.flatMap(XMPOrientation.find) ?? .topLeft
    }
}

/// The orientation in an XMP packet.
enum XMPOrientation {
    /// Pillow's search for `tiff:Orientation(="|>)([0-9])`; nil where there is no match.
    static func find(in packet: [UInt8]) -> Orientation? {
        let name = Array("tiff:Orientation".utf8)
        var rest = packet[...]
        while let start = rest.firstIndex(of: name[0]) {
            rest = rest[start...]
            if rest.starts(with: name), let digit = digit(after: rest.dropFirst(name.count)) {
                return Orientation(rawValue: digit) ?? .topLeft
            }
            rest = rest.dropFirst()
        }
        return nil
    }

    private static func digit(after text: ArraySlice<UInt8>) -> Int? {
        for delimiter in ["=\"", ">"] where text.starts(with: delimiter.utf8) {
            let zero = UInt8(ascii: "0")
            guard let byte = text.dropFirst(delimiter.utf8.count).first, zero...zero + 9 ~= byte
            else { return nil }
            return Int(byte - zero)
        }
        return nil
    }
}
