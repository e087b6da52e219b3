import CGPIDiffusion
import Checkpoints
import Pipelines
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

// MARK: - Tensors

@c @implementation
public func gpi_tensor_dimensions(_ tensor: OpaquePointer!) -> Int64 {
    Int64(object(tensor, as: TensorBox.self).tensor.shape.count)
}

@c @implementation
public func gpi_tensor_shape(_ tensor: OpaquePointer!) -> UnsafePointer<Int64>! {
    UnsafePointer(object(tensor, as: TensorBox.self).shape.baseAddress)
}

@c @implementation
public func gpi_tensor_strides(_ tensor: OpaquePointer!) -> UnsafePointer<Int64>! {
    UnsafePointer(object(tensor, as: TensorBox.self).strides.baseAddress)
}

@c @implementation
public func gpi_tensor_dtype(_ tensor: OpaquePointer!) -> gpi_dtype {
    object(tensor, as: TensorBox.self).dtype
}

@c @implementation
public func gpi_tensor_device(_ tensor: OpaquePointer!) -> gpi_device {
    object(tensor, as: TensorBox.self).device
}

@c @implementation
public func gpi_tensor_data(_ tensor: OpaquePointer!) -> UnsafeMutableRawPointer! {
    object(tensor, as: TensorBox.self).data
}

@c @implementation
public func gpi_tensor_view(
    _ data: UnsafeMutableRawPointer!, _ dimensions: Int64, _ shape: UnsafePointer<Int64>!,
    _ strides: UnsafePointer<Int64>!, _ dtype: gpi_dtype, _ device: gpi_device,
    _ release: gpi_release!, _ context: UnsafeMutableRawPointer!,
    _ tensor: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    // First of all: whatever is thrown from here on, this object's end releases the memory.
    let memory = ForeignMemory(release, context)
    return withExtendedLifetime(memory) {
        reporting {
            let result = try required(tensor, "tensor")
            let sizes = try numbers(shape, count: dimensions, "shape")
            let steps = try strides.map { try numbers($0, count: dimensions, "strides") }
            let view = try Tensor(
                viewing: data, shape: sizes, strides: steps, dtype: DType(dtype),
                device: Device(device), owner: memory, in: LibTorch.shared())
            result.pointee = handle(try TensorBox(view))
        }
    }
}

@c @implementation
public func gpi_tensor_share(
    _ tensor: OpaquePointer!, _ other: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(other, "other")
        result.pointee = handle(
            object(try required(tensor, "tensor"), as: TensorBox.self))
    }
}

@c @implementation
public func gpi_tensor_save(_ tensor: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> gpi_status {
    reporting {
        let tensor = object(try required(tensor, "tensor"), as: TensorBox.self).tensor
        try TorchFileWriter.write(tensor, to: String(cString: required(path, "path")))
    }
}

@c @implementation
public func gpi_tensor_free(_ tensor: OpaquePointer!) {
    free(tensor, as: TensorBox.self)
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
            precision: Precision(options.precision),
            warn: { options.warning?(options.warning_context, $0) })
        result.pointee = handle(ExtractorBox(extractor))
    }
}

@c @implementation
public func gpi_extractor_device(_ extractor: OpaquePointer!) -> gpi_device {
    gpi_device(object(extractor, as: ExtractorBox.self).extractor.device)
}

@c @implementation
public func gpi_extractor_free(_ extractor: OpaquePointer!) {
    free(extractor, as: ExtractorBox.self)
}

// MARK: - Pictures

@c @implementation
public func gpi_fitted_size(
    _ width: Int64, _ height: Int64, _ longestSide: Int64,
    _ fittedWidth: UnsafeMutablePointer<Int64>!,
    _ fittedHeight: UnsafeMutablePointer<Int64>!
) -> gpi_status {
    reporting {
        let (widthResult, heightResult) = try (
            required(fittedWidth, "fitted_width"), required(fittedHeight, "fitted_height")
        )
        let size = try PixelSize(width: Int(width), height: Int(height))
            .fitted(longestSide: Int(longestSide))
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

@c @implementation
public func gpi_picture_tensor(
    _ extractor: OpaquePointer!, _ rgb: UnsafePointer<UInt8>!, _ width: Int64, _ height: Int64,
    _ longestSide: Int64, _ pixels: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pixels, "pixels")
        let extractor = try imageExtractor(extractor)
        let source = try picture(rgb: rgb, width: width, height: height)
        let prepared = try extractor.pixels(of: source, longestSide: Int(longestSide))
        result.pointee = handle(try TensorBox(prepared))
    }
}

@c @implementation
public func gpi_tensor_picture(
    _ pixels: OpaquePointer!, _ picture: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(picture, "picture")
        let pixels = object(try required(pixels, "pixels"), as: TensorBox.self).tensor
        result.pointee = handle(PictureBox(try RGBImage(decoded: pixels)))
    }
}

// MARK: - Prompts

@c @implementation
public func gpi_encode_prompt(
    _ extractor: OpaquePointer!, _ prompts: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int64,
    _ negativePrompt: UnsafePointer<CChar>!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ embeddings: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(embeddings, "embeddings")
        let extractor = try imageExtractor(extractor)
        let texts = try texts(prompts, count: count)
        let negative = negativePrompt.map { String(cString: $0) }
        let encoded = try interruptible(interruption, interruptionContext) {
            try extractor.promptEmbeddings(prompts: texts, negativePrompt: negative)
        }
        result.pointee = handle(try TensorBox(encoded))
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
        let extractor = try imageExtractor(extractor)
        let request = try required(request, "request").pointee
        try checkSize(request.size, of: gpi_request.self, "request")
        let source = try picture(rgb: request.rgb, width: request.width, height: request.height)
        let extracted = try interruptible(request.interruption, request.interruption_context) {
            try extractor.latents(
                of: source, prompt: request.prompt.map { String(cString: $0) } ?? "",
                options: DenoisingOptions(request), seed: request.has_seed ? request.seed : nil,
                progress: { request.progress?(request.progress_context, Int64($0), Int64($1)) })
        }
        result.pointee = handle(try TensorBox(extracted.tensor))
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
        let decoded = try decoded(extractor, latents, interruption, interruptionContext)
        result.pointee = handle(PictureBox(try RGBImage(decoded: decoded)))
    }
}

@c @implementation
public func gpi_decode_tensor(
    _ extractor: OpaquePointer!, _ latents: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ pixels: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pixels, "pixels")
        let decoded = try decoded(extractor, latents, interruption, interruptionContext)
        result.pointee = handle(try TensorBox(decoded.contiguous()))
    }
}

private func decoded(
    _ extractor: OpaquePointer?, _ latents: OpaquePointer?, _ interruption: gpi_interruption?,
    _ interruptionContext: UnsafeMutableRawPointer?
) throws -> Tensor {
    let extractor = try imageExtractor(extractor)
    let latents = object(try required(latents, "latents"), as: TensorBox.self).tensor
    return try interruptible(interruption, interruptionContext) { try extractor.decoded(latents) }
}
