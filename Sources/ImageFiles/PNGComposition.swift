import CImageFiles
import Imaging

/// How the samples of a PNG file with transparency become RGB over a background: Pillow's
/// `alpha_composite` of the background and `convert("RGBA")` of the picture.
struct PNGComposition {
    private enum Rule {
        /// The colour of each grey or palette index.
        case table([RGBColor])
        /// The same, for 16-bit grey, which is clipped.
        case clippedTable([RGBColor])
        /// RGB, where one colour is transparent.
        case keyed(transparent: RGBColor)
        /// Grey followed by alpha.
        case greyAlpha
        /// RGB followed by alpha.
        case rgbAlpha
    }

    private let rule: Rule
    private let background: RGBColor

    /// The number of bytes of a pixel as it is stored.
    var channels: Int {
        switch rule {
        case .table: 1
        case .clippedTable, .greyAlpha: 2
        case .keyed: 3
        case .rgbAlpha: 4
        }
    }

    /// The composition that a picture calls for, or nil where it has no transparency.
    ///
    /// - Parameters:
    ///   - header: what the picture's header says.
    ///   - transparency: the contents of its `tRNS` chunk, nil where there is none.
    ///   - background: what shows through.
    ///   - path: for messages.
    /// - Throws: ``ImageFileError/undecodable(path:reason:)`` where the `tRNS` chunk is too short
    ///   or too long.
    init?(
        _ header: gpi_png_header, transparency: [UInt8]?, over background: RGBColor, path: String
    ) throws(ImageFileError) {
        self.background = background
        switch (header.color_type, transparency) {
        case (GPI_PNG_GREY_ALPHA, _):
            rule = .greyAlpha
        case (GPI_PNG_RGB_ALPHA, _):
            rule = .rgbAlpha
        case (_, nil):
            return nil
        case (GPI_PNG_GREY, let transparency?):
            let key = try Self.key(transparency, count: 1, path: path)
            // As the file has it, not scaled as greys of few bits are, except for a single bit.
            let transparent = header.is_bilevel ? (key[0].isZero ? 0 : 255) : key[0].low
            let table = (0...255).map { (grey: UInt8) in
                grey == transparent
                    ? background : RGBColor(red: grey, green: grey, blue: grey)
            }
            rule = header.is_grey16 ? .clippedTable(table) : .table(table)
        case (GPI_PNG_PALETTE, let transparency?):
            rule = .table(
                try Self.colors(header, alphas: transparency, over: background, path: path))
        case (_, let transparency?):
            let key = try Self.key(transparency, count: 3, path: path)
            rule = .keyed(
                transparent: RGBColor(red: key[0].low, green: key[1].low, blue: key[2].low))
        }
    }

    /// The RGB samples of a picture's stored ones.
    func rgb(_ stored: [UInt8]) -> [UInt8] {
        switch rule {
        case .table(let colors):
            return mapped(stored) { colors[Int($0[0])] }
        case .clippedTable(let colors):
            return mapped(stored) { colors[$0[0] == 0 ? Int($0[1]) : 255] }
        case .keyed(let transparent):
            return mapped(stored) {
                let color = RGBColor(red: $0[0], green: $0[1], blue: $0[2])
                return color == transparent ? background : color
            }
        case .greyAlpha:
            return mapped(stored) {
                let color = RGBColor(red: $0[0], green: $0[0], blue: $0[0])
                return Self.composed(color, alpha: $0[1], over: background)
            }
        case .rgbAlpha:
            return mapped(stored) {
                let color = RGBColor(red: $0[0], green: $0[1], blue: $0[2])
                return Self.composed(color, alpha: $0[3], over: background)
            }
        }
    }

    /// The RGB samples that `color` makes of each pixel's stored ones.
    private func mapped(
        _ stored: [UInt8], _ color: (UnsafePointer<UInt8>) -> RGBColor
    ) -> [UInt8] {
        let pixelCount = stored.count / channels
        let stride = channels
        let count = pixelCount * RGBImage.channels
        return [UInt8](unsafeUninitializedCapacity: count) { target, initializedCount in
            stored.withUnsafeBufferPointer { source in
                guard let first = source.baseAddress else { return }
                for pixel in 0..<pixelCount {
                    let color = color(first + pixel * stride)
                    target[pixel * RGBImage.channels] = color.red
                    target[pixel * RGBImage.channels + 1] = color.green
                    target[pixel * RGBImage.channels + 2] = color.blue
                }
                initializedCount = count
            }
        }
    }

    /// `ImagingAlphaComposite` of Pillow's `AlphaComposite.c`, for an opaque background.
    private static func composed(
        _ color: RGBColor, alpha: UInt8, over background: RGBColor
    ) -> RGBColor {
        func sample(_ above: UInt8, _ below: UInt8) -> UInt8 {
            let product = UInt32(above) * UInt32(alpha) + UInt32(below) * UInt32(255 - alpha)
            // Seven more bits of precision; the division by 255 is one of shifts, and rounds.
            let biased = (product + 0x80) << 7
            return UInt8(truncatingIfNeeded: ((biased >> 8) + biased) >> 15)
        }
        return RGBColor(
            red: sample(color.red, background.red), green: sample(color.green, background.green),
            blue: sample(color.blue, background.blue))
    }

    /// A palette with the alphas of a `tRNS` chunk, composed.
    private static func colors(
        _ header: gpi_png_header, alphas: [UInt8], over background: RGBColor, path: String
    ) throws(ImageFileError) -> [RGBColor] {
        let alphas = asPillowTakes(alphas)
        guard alphas.count <= 256 else {
            throw .undecodable(path: path, reason: "its tRNS chunk is too long")
        }
        return withUnsafeBytes(of: header.palette) { palette in
            (0..<256).map { index in
                let color = RGBColor(
                    red: palette[3 * index], green: palette[3 * index + 1],
                    blue: palette[3 * index + 2])
                let alpha = index < alphas.count ? alphas[index] : 255
                return composed(color, alpha: alpha, over: background)
            }
        }
    }

    /// Pillow takes a chunk of 255s around a single 0, of whatever length, for the index of one
    /// transparent colour; and the regular expression by which it knows one lets a line feed
    /// follow, which is then lost.
    private static func asPillowTakes(_ alphas: [UInt8]) -> [UInt8] {
        let pattern = alphas.last == UInt8(ascii: "\n") ? alphas.dropLast() : alphas[...]
        guard let index = pattern.firstIndex(where: { $0 != 255 }), pattern[index] == 0,
            pattern[(index + 1)...].allSatisfy({ $0 == 255 })
        else { return alphas }
        return Array(pattern[...index])
    }

    /// One sample of a transparent colour as its chunk holds it.
    private struct KeySample {
        /// The more significant byte, then the less significant one.
        let bytes: (UInt8, UInt8)

        var isZero: Bool { bytes == (0, 0) }
        /// What Pillow's `rgbT2a` compares with 8-bit samples, also those of 16-bit pictures.
        var low: UInt8 { bytes.1 }
    }

    private static func key(
        _ transparency: [UInt8], count: Int, path: String
    ) throws(ImageFileError) -> [KeySample] {
        guard transparency.count >= 2 * count else {
            throw .undecodable(path: path, reason: "its tRNS chunk is too short")
        }
        return (0..<count).map {
            KeySample(bytes: (transparency[2 * $0], transparency[2 * $0 + 1]))
        }
    }
}
