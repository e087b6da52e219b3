import CGPIDiffusion
import Extraction
import Imaging
import Torch

// The functions of gpi_diffusion.h, in its order. What they do is documented there.

// MARK: - Errors

@c @implementation
public func gpi_last_error() -> UnsafePointer<CChar>! {
    LastError.text
}

// MARK: - libtorch

@c @implementation
public func gpi_open_libtorch(_ pythonFolder: UnsafePointer<CChar>!) -> gpi_status {
    reporting {
        _ = try LibTorch.shared(pythonFolder: pythonFolder.map { String(cString: $0) })
    }
}

// MARK: - Extractors

@c @implementation
public func gpi_extractor_create(
    _ options: UnsafePointer<gpi_extractor_options>!,
    _ extractor: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(extractor, "extractor")
        let options = try required(options, "options").pointee
        try checkSize(options.size, of: gpi_extractor_options.self, "options")
        let folder = try required(options.model_folder, "options->model_folder")
        let device = try options.device.map { try Device(parsing: String(cString: $0)) }
        let extractor = try ImageExtractor(
            modelFolder: String(cString: folder), device: device, dtype: DType(options.dtype),
            warn: { options.warning?(options.warning_context, $0) })
        result.pointee = handle(ExtractorBox(extractor))
    }
}

@c @implementation
public func gpi_extractor_free(_ extractor: OpaquePointer!) {
    free(extractor, as: ExtractorBox.self)
}

// MARK: - Pictures

@c @implementation
public func gpi_fitted_size(
    _ width: Int64, _ height: Int64, _ fittedWidth: UnsafeMutablePointer<Int64>!,
    _ fittedHeight: UnsafeMutablePointer<Int64>!
) -> gpi_status {
    reporting {
        let (widthResult, heightResult) = try (
            required(fittedWidth, "fitted_width"), required(fittedHeight, "fitted_height")
        )
        let size = try PixelSize(width: Int(width), height: Int(height))
            .fitted(longestSide: ImageExtractor.longestSide)
        widthResult.pointee = Int64(size.width)
        heightResult.pointee = Int64(size.height)
    }
}

@c @implementation
public func gpi_picture_width(_ picture: OpaquePointer!) -> Int64 {
    Int64(object(picture, as: PictureBox.self).width)
}

@c @implementation
public func gpi_picture_height(_ picture: OpaquePointer!) -> Int64 {
    Int64(object(picture, as: PictureBox.self).height)
}

@c @implementation
public func gpi_picture_rgb(_ picture: OpaquePointer!) -> UnsafePointer<UInt8>! {
    UnsafePointer(object(picture, as: PictureBox.self).pixels.baseAddress)
}

@c @implementation
public func gpi_picture_free(_ picture: OpaquePointer!) {
    free(picture, as: PictureBox.self)
}

@c @implementation
public func gpi_prepare_picture(
    _ rgb: UnsafePointer<UInt8>!, _ width: Int64, _ height: Int64,
    _ prepared: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(prepared, "picture")
        let source = try picture(rgb: rgb, width: width, height: height)
        result.pointee = handle(PictureBox(try ImageExtractor.prepared(source)))
    }
}

// MARK: - Latents

@c @implementation
public func gpi_extract(
    _ extractor: OpaquePointer!, _ request: UnsafePointer<gpi_request>!,
    _ latents: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(latents, "latents")
        let extractor = object(try required(extractor, "extractor"), as: ExtractorBox.self)
            .extractor
        let request = try required(request, "request").pointee
        try checkSize(request.size, of: gpi_request.self, "request")
        let source = try picture(rgb: request.rgb, width: request.width, height: request.height)
        let extracted = try interruptible(request.interruption, request.interruption_context) {
            try extractor.latents(
                of: source, prompt: request.prompt.map { String(cString: $0) } ?? "",
                options: DenoisingOptions(request), seed: request.has_seed ? request.seed : nil,
                progress: { request.progress?(request.progress_context, Int64($0), Int64($1)) })
        }
        result.pointee = handle(try LatentsBox(extracted))
    }
}

@c @implementation
public func gpi_latents_shape(_ latents: OpaquePointer!, _ shape: UnsafeMutablePointer<Int64>!) {
    for (axis, size) in object(latents, as: LatentsBox.self).shape.prefix(4).enumerated() {
        shape[axis] = size
    }
}

@c @implementation
public func gpi_latents_values(_ latents: OpaquePointer!) -> UnsafePointer<Float>! {
    UnsafePointer(object(latents, as: LatentsBox.self).values.baseAddress)
}

@c @implementation
public func gpi_latents_save(_ latents: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> gpi_status
{
    reporting {
        let box = object(try required(latents, "latents"), as: LatentsBox.self)
        try box.latents.write(to: String(cString: required(path, "path")))
    }
}

@c @implementation
public func gpi_decode(
    _ extractor: OpaquePointer!, _ latents: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ picture: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(picture, "picture")
        let extractor = object(try required(extractor, "extractor"), as: ExtractorBox.self)
            .extractor
        let latents = object(try required(latents, "latents"), as: LatentsBox.self).latents
        let decoded = try interruptible(interruption, interruptionContext) {
            try extractor.picture(from: latents)
        }
        result.pointee = handle(PictureBox(decoded))
    }
}

@c @implementation
public func gpi_latents_free(_ latents: OpaquePointer!) {
    free(latents, as: LatentsBox.self)
}
