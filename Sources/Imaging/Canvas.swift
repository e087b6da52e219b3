/// A picture that others are drawn into.
struct Canvas {
    let size: PixelSize
    private var pixels: [UInt8]

    /// A canvas of one colour; `size` is known to be producible.
    init(_ size: PixelSize, filledWith color: RGBColor) {
        self.size = size
        let count = size.width * size.height * RGBImage.channels
        pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            var sample = 0
            while sample < count {
                buffer[sample] = color.red
                buffer[sample + 1] = color.green
                buffer[sample + 2] = color.blue
                sample += RGBImage.channels
            }
            initializedCount = count
        }
    }

    /// What has been drawn so far.
    var image: RGBImage { RGBImage(size: size, validPixels: pixels) }

    /// Draws a picture with its top left pixel at `row` and `column`; what lies outside is dropped.
    mutating func draw(_ image: RGBImage, row: Int, column: Int) {
        let columns = max(column, 0)..<max(min(column + image.width, size.width), max(column, 0))
        for line in max(row, 0)..<max(min(row + image.height, size.height), max(row, 0)) {
            let source = ((line - row) * image.width + columns.lowerBound - column)
            let samples = source * RGBImage.channels..<(source + columns.count) * RGBImage.channels
            let target = (line * size.width + columns.lowerBound) * RGBImage.channels
            pixels.replaceSubrange(target..<target + samples.count, with: image.pixels[samples])
        }
    }

    /// Fills a rectangle; what lies outside is dropped.
    mutating func fill(
        row: Int, column: Int, height: Int, width: Int, with color: RGBColor
    ) {
        let columns = max(column, 0)..<max(min(column + width, size.width), max(column, 0))
        for line in max(row, 0)..<max(min(row + height, size.height), max(row, 0)) {
            for place in columns {
                let sample = (line * size.width + place) * RGBImage.channels
                pixels[sample] = color.red
                pixels[sample + 1] = color.green
                pixels[sample + 2] = color.blue
            }
        }
    }
}
