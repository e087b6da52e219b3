import Imaging

/// Pictures of cyan, magenta, yellow and black samples.
enum CMYK {
    /// The number of samples in a pixel.
    static let channels = 4

    /// RGB samples of CMYK ones stored the Adobe way, 255 meaning no ink, which Pillow
    /// takes every four-component JPEG to be; by `cmyk2rgb` of its `Convert.c`.
    static func rgb(fromInverted samples: [UInt8]) -> [UInt8] {
        let pixelCount = samples.count / channels
        var pixels = [UInt8](repeating: 0, count: pixelCount * RGBImage.channels)
        for index in 0..<pixelCount {
            let light = Int(samples[index * channels + 3])
            for channel in 0..<RGBImage.channels {
                let ink = 255 - Int(samples[index * channels + channel])
                let color = light - dividedBy255(ink * light)
                pixels[index * RGBImage.channels + channel] = UInt8(clamping: color)
            }
        }
        return pixels
    }

    /// A product of two samples divided by 255 and rounded, as Pillow's `MULDIV255`.
    private static func dividedBy255(_ product: Int) -> Int {
        let biased = product + 128
        return ((biased >> 8) + biased) >> 8
    }
}
