import Diffusion
import Imaging
import Torch

extension Tensor {
    /// A picture as a CLIP vision model takes it: `[1, 3, crop height, crop width]`, float32.
    ///
    /// Answers to `CLIPImageProcessor` of transformers with Pillow; with torchvision, where that is
    /// installed, it rounds differently.
    /// - Throws: `ImagingError` if the picture is too elongated to be scaled.
    convenience init(
        _ picture: RGBImage, prepared configuration: CLIPImageProcessorConfiguration,
        in library: LibTorch
    ) throws {
        let prepared = try picture.prepared(configuration)
        let (height, width) = (prepared.height, prepared.width)
        try self.init(uninitialized: [1, 3, height, width], dtype: .float32, in: library)
        try withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            let places = height * width
            for channel in 0..<RGBImage.channels {
                let levels = configuration.levels(channel)
                for place in 0..<places {
                    let sample = prepared.pixels[RGBImage.channels * place + channel]
                    values[channel * places + place] = levels[Int(sample)]
                }
            }
        }
    }
}

extension RGBImage {
    /// The picture scaled and cropped.
    fileprivate func prepared(
        _ configuration: CLIPImageProcessorConfiguration
    ) throws(ImagingError) -> RGBImage {
        var picture = self
        if configuration.doResize {
            let size = size.scaled(shortestEdge: configuration.shortestEdge)
            picture = try picture.resized(to: size, filter: .bicubic)
        }
        if configuration.doCenterCrop {
            picture = try picture.centerCropped(
                to: PixelSize(width: configuration.cropWidth, height: configuration.cropHeight))
        }
        return picture
    }
}

extension PixelSize {
    /// The size scaled so that its shorter side is `shortestEdge`, the other one rounded down:
    /// `get_resize_output_image_size` of transformers.
    fileprivate func scaled(shortestEdge: Int) -> PixelSize {
        // Exact in integers, as the quotient in doubles is close enough never to be rounded up to
        // the next whole number.
        let longestEdge = shortestEdge * max(width, height) / min(width, height)
        return width <= height
            ? PixelSize(width: shortestEdge, height: longestEdge)
            : PixelSize(width: longestEdge, height: shortestEdge)
    }
}

extension CLIPImageProcessorConfiguration {
    /// What each of the 256 levels of a channel becomes, rounded where numpy rounds.
    fileprivate func levels(_ channel: Int) -> [Float] {
        (0..<256).map { level in
            var value = Float(level)
            if doRescale { value = Float(Double(level) * rescaleFactor) }
            if doNormalize {
                value = (value - Float(imageMean[channel])) / Float(imageStd[channel])
            }
            return value
        }
    }
}
