import CGPIDiffusion
import Diffusion
import Imaging
import Pipelines
import Torch

// The functions of gpi_models.h, in its order. What they do is documented there.

@c @implementation
public func gpi_model_create(
    _ options: UnsafePointer<gpi_model_options>!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(model, "model")
        let options = try required(options, "options").pointee
        try checkSize(options.size, of: gpi_model_options.self, "options")
        var folders = ComponentFolders(
            model: String(cString: try required(options.folder, "options->folder")))
        func replace(_ folder: inout String, _ other: UnsafePointer<CChar>?) {
            if let other { folder = String(cString: other) }
        }
        replace(&folders.autoencoder, options.autoencoder_folder)
        replace(&folders.tokenizer, options.tokenizer_folder)
        replace(&folders.textEncoder, options.text_encoder_folder)
        replace(&folders.unet, options.unet_folder)
        let components = try StableDiffusionComponents(
            folders: folders, dtype: DType(options.dtype),
            device: options.device.map { try Device(parsing: String(cString: $0)) },
            precision: Precision(options.precision))
        components.vaeTiling = options.uses_tiling
        let unconditional = try UnconditionalComponents(
            folder: String(cString: required(options.folder, "options->folder")),
            unetFolder: options.unet_folder.map { String(cString: $0) }, dtype: components.dtype,
            device: components.device, precision: components.precision)
        result.pointee = handle(
            ModelBox(components, unconditional) { options.warning?(options.warning_context, $0) })
    }
}

@c @implementation
public func gpi_model_combine(
    _ autoencoder: OpaquePointer!, _ tokenizer: OpaquePointer!, _ textEncoder: OpaquePointer!,
    _ unet: OpaquePointer!, _ warning: gpi_warning!, _ warningContext: UnsafeMutableRawPointer!,
    _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(model, "model")
        let components = try StableDiffusionComponents(
            autoencoderOf: modelBox(autoencoder).components,
            tokenizerOf: modelBox(tokenizer).components,
            textEncoderOf: modelBox(textEncoder).components,
            unetOf: modelBox(unet).components)
        result.pointee = handle(
            ModelBox(components, try modelBox(unet).unconditional) { warning?(warningContext, $0) })
    }
}

@c @implementation
public func gpi_model_load(_ model: OpaquePointer!, _ part: gpi_part) -> gpi_status {
    reporting {
        let components = try modelBox(model).components
        switch part {
        case GPI_AUTOENCODER: try components.autoencoder.load()
        case GPI_TOKENIZER: _ = try components.tokenizer
        case GPI_TEXT_ENCODER: _ = try components.textEncoder
        case GPI_UNET: _ = try components.unet
        case GPI_SCHEDULER: _ = try components.schedulerSettings
        case GPI_SAFETY_CHECKER: _ = try components.safetyCheck
        case GPI_UNCONDITIONAL_UNET: _ = try modelBox(model).unconditional.unet
        default:
            throw PipelineError.invalidArgument(
                name: "part", reason: "\(part.rawValue) is none of gpi_part.")
        }
    }
}

@c @implementation
public func gpi_model_configuration(
    _ model: OpaquePointer!, _ part: gpi_part,
    _ json: UnsafeMutablePointer<UnsafePointer<CChar>?>!
) -> gpi_status {
    reporting {
        let result = try required(json, "json")
        let model = try modelBox(model)
        let text =
            switch part {
            case GPI_AUTOENCODER: try model.components.autoencoder.configuration.json()
            case GPI_TEXT_ENCODER: try model.components.textEncoder.configuration.json()
            case GPI_UNET: try model.components.unet.configuration.json()
            case GPI_UNCONDITIONAL_UNET: try model.unconditional.unet.configuration.json()
            default:
                throw PipelineError.invalidArgument(
                    name: "part", reason: "\(part.rawValue) has no config.json.")
            }
        result.pointee = model.keep(text)
    }
}

@c @implementation
public func gpi_model_device(_ model: OpaquePointer!) -> gpi_device {
    gpi_device(object(model, as: ModelBox.self).components.device)
}

@c @implementation
public func gpi_model_dtype(_ model: OpaquePointer!) -> gpi_dtype {
    // Made from a gpi_dtype, so there is one.
    (try? gpi_dtype(object(model, as: ModelBox.self).components.dtype)) ?? GPI_FLOAT32
}

@c @implementation
public func gpi_model_precision(_ model: OpaquePointer!) -> gpi_precision {
    gpi_precision(object(model, as: ModelBox.self).components.precision)
}

@c @implementation
public func gpi_model_set_tiling(_ model: OpaquePointer!, _ usesTiling: Bool) -> gpi_status {
    reporting { try modelBox(model).components.vaeTiling = usesTiling }
}

@c @implementation
public func gpi_model_uses_tiling(_ model: OpaquePointer!) -> Bool {
    object(model, as: ModelBox.self).components.vaeTiling
}

@c @implementation
public func gpi_model_free(_ model: OpaquePointer!) {
    free(model, as: ModelBox.self)
}

// MARK: - Parts

@c @implementation
public func gpi_model_scheduler(
    _ model: OpaquePointer!, _ scheduler: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(scheduler, "scheduler")
        let model = try modelBox(model)
        result.pointee = handle(
            try SchedulerBox(
                StableDiffusionPipeline.scheduler(of: model.components, warn: model.warn)))
    }
}

@c @implementation
public func gpi_model_scheduler_settings(
    _ model: OpaquePointer!, _ json: UnsafeMutablePointer<UnsafePointer<CChar>?>!
) -> gpi_status {
    reporting {
        let result = try required(json, "json")
        let model = try modelBox(model)
        let settings = try StableDiffusionPipeline.schedulerSettings(
            of: model.components, warn: model.warn)
        result.pointee = model.keep(try settings.json())
    }
}

@c @implementation
public func gpi_model_tokenize(
    _ model: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int64,
    _ tokens: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(tokens, "tokens")
        let tokenizer = try modelBox(model).components.tokenizer
        let text = String(cString: try required(text, "text"))
        let count: Int? =
            switch length {
            case 0: nil
            case -1: tokenizer.modelMaxLength
            default: Int(length)
            }
        // Two places are the start's and the end's; a text encoder has 77.
        guard count.map({ 2...65536 ~= $0 }) ?? true else {
            throw PipelineError.invalidArgument(
                name: "max_length", reason: "\(length) is not between 2 and 65536.")
        }
        result.pointee = handle(TokensBox(tokenizer.encode(text, paddedTo: count)))
    }
}

@c @implementation
public func gpi_tokens_ids(
    _ tokens: OpaquePointer!, _ count: UnsafeMutablePointer<Int64>!
) -> UnsafePointer<Int64>! {
    let ids = object(tokens, as: TokensBox.self).ids
    count?.pointee = Int64(ids.count)
    return UnsafePointer(ids.baseAddress)
}

@c @implementation
public func gpi_tokens_lost_text(_ tokens: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(tokens, as: TokensBox.self).lostText.baseAddress)
}

@c @implementation
public func gpi_tokens_free(_ tokens: OpaquePointer!) {
    free(tokens, as: TokensBox.self)
}

@c @implementation
public func gpi_model_max_length(
    _ model: OpaquePointer!, _ length: UnsafeMutablePointer<Int64>!
) -> gpi_status {
    reporting {
        let result = try required(length, "length")
        result.pointee = Int64(try modelBox(model).components.tokenizer.modelMaxLength ?? 0)
    }
}

@c @implementation
public func gpi_model_encode_tokens(
    _ model: OpaquePointer!, _ ids: UnsafePointer<Int64>!, _ count: Int64, _ length: Int64,
    _ interruption: gpi_interruption!, _ interruptionContext: UnsafeMutableRawPointer!,
    _ hidden: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(hidden, "hidden")
        let model = try modelBox(model)
        let (total, overflow) = count.multipliedReportingOverflow(by: length)
        guard count > 0, length > 0, !overflow, total <= 1 << 24 else {
            throw PipelineError.invalidArgument(
                name: "input_ids", reason: "the shape is [\(count), \(length)].")
        }
        let tokens = UnsafeBufferPointer(start: try required(ids, "ids"), count: Int(total))
        let rows = (0..<Int(count)).map { row in
            tokens[row * Int(length)..<(row + 1) * Int(length)].map(Int.init)
        }
        let states = try interruptible(interruption, interruptionContext) {
            try model.components.textEncoder(rows)
        }
        result.pointee = handle(try TensorBox(states.contiguous()))
    }
}

@c @implementation
public func gpi_model_encode_prompts(
    _ model: OpaquePointer!, _ prompts: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int64,
    _ negativePrompts: UnsafePointer<UnsafePointer<CChar>?>!, _ negativeCount: Int64,
    _ imagesPerPrompt: Int64, _ usesGuidance: Bool, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ embeddings: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(embeddings, "embeddings")
        let model = try modelBox(model)
        var request = GenerationRequest(prompts: try texts(prompts, count: count))
        if negativeCount > 0 {
            request.negativePrompts = try texts(negativePrompts, count: negativeCount)
        }
        request.imagesPerPrompt = Int(imagesPerPrompt)
        try request.check()
        let encoded = try interruptible(interruption, interruptionContext) {
            try model.pipeline().embeddings(
                prompts: request.prompts, negativePrompts: request.negativePrompts,
                imagesPerPrompt: request.imagesPerPrompt, usesGuidance: usesGuidance)
        }
        result.pointee = handle(try TensorBox(encoded.both ?? encoded.prompt))
    }
}

@c @implementation
public func gpi_model_join_embeddings(
    _ model: OpaquePointer!, _ prompt: OpaquePointer!, _ negative: OpaquePointer!,
    _ imagesPerPrompt: Int64, _ embeddings: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(embeddings, "embeddings")
        var request = GenerationRequest(prompt: "")
        request.imagesPerPrompt = Int(imagesPerPrompt)
        try request.check()
        let joined = try modelBox(model).pipeline().embeddings(
            prompt: tensor(prompt, "prompt_embeds"),
            negative: negative.map { try tensor($0, "negative_prompt_embeds") },
            imagesPerPrompt: request.imagesPerPrompt)
        result.pointee = handle(try TensorBox(joined.both ?? joined.prompt))
    }
}

@c @implementation
public func gpi_model_encode(
    _ model: OpaquePointer!, _ pixels: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!, _ mean: UnsafeMutablePointer<OpaquePointer?>!,
    _ deviation: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let meanResult = try required(mean, "mean")
        let deviationResult = try required(deviation, "deviation")
        let components = try modelBox(model).components
        let pixels = try tensor(pixels, "x")
        let side = try components.autoencoder.scaleFactor
        guard pixels.shape.count == 4, pixels.shape[1] == 3, pixels.count > 0,
            pixels.shape[2] % side == 0, pixels.shape[3] % side == 0
        else {
            throw PipelineError.invalidArgument(
                name: "x",
                reason: """
                    the shape is \(pixels.shape); [N, 3, H, W] is needed, with H and W multiples of \
                    \(side).
                    """)
        }
        let posterior = try interruptible(interruption, interruptionContext) {
            try components.autoencoder.encode(
                pixels.converted(to: components.dtype).moved(to: components.device))
        }
        let boxes = try (
            TensorBox(posterior.mean.contiguous()),
            TensorBox(posterior.standardDeviation().contiguous())
        )
        meanResult.pointee = handle(boxes.0)
        deviationResult.pointee = handle(boxes.1)
    }
}

@c @implementation
public func gpi_model_decode(
    _ model: OpaquePointer!, _ latents: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ pixels: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pixels, "pixels")
        let (autoencoder, latents) = try decoderInput(model, latents)
        let decoded = try interruptible(interruption, interruptionContext) {
            try autoencoder.decode(latents)
        }
        result.pointee = handle(try TensorBox(decoded.contiguous()))
    }
}

@c @implementation
public func gpi_model_scaling_factor(
    _ model: OpaquePointer!, _ factor: UnsafeMutablePointer<Double>!
) -> gpi_status {
    reporting {
        let result = try required(factor, "factor")
        result.pointee = try modelBox(model).components.autoencoder.configuration.scalingFactor
    }
}

@c @implementation
public func gpi_model_decode_scaled(
    _ model: OpaquePointer!, _ latents: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ pixels: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pixels, "pixels")
        let (autoencoder, latents) = try decoderInput(model, latents)
        let decoded = try interruptible(interruption, interruptionContext) {
            try autoencoder.decode(scaled: latents)
        }
        result.pointee = handle(try TensorBox(decoded.contiguous()))
    }
}

/// The latents, checked, in the dtype and on the device of the autoencoder that is to decode them.
private func decoderInput(_ model: OpaquePointer?, _ latents: OpaquePointer?) throws
    -> (AutoencoderKL, Tensor)
{
    let components = try modelBox(model).components
    let latents = try tensor(latents, "latents")
    let autoencoder = try components.autoencoder
    let channels = autoencoder.configuration.latentChannels
    guard latents.shape.count == 4, latents.shape[1] == channels, latents.count > 0 else {
        throw PipelineError.invalidArgument(
            name: "latents",
            reason:
                "the shape is \(latents.shape); [N, \(channels), H, W] is needed, with no side of 0."
        )
    }
    return (autoencoder, try latents.converted(to: components.dtype).moved(to: components.device))
}

@c @implementation
public func gpi_model_predict(
    _ model: OpaquePointer!, _ sample: OpaquePointer!, _ timestep: Double,
    _ context: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ prediction: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(prediction, "prediction")
        let components = try modelBox(model).components
        let sample = try tensor(sample, "sample")
        let context = try tensor(context, "encoder_hidden_states")
        let unet = try components.unet
        try unet.check(sample: sample.shape, context: context.shape)
        let predicted = try interruptible(interruption, interruptionContext) {
            try unet(
                sample.converted(to: components.dtype).moved(to: components.device),
                timestep: timestep,
                context: context.converted(to: components.dtype).moved(to: components.device))
        }
        result.pointee = handle(try TensorBox(predicted.contiguous()))
    }
}

// MARK: - Safety

@c @implementation
public func gpi_model_has_safety_checker(
    _ model: OpaquePointer!, _ answer: UnsafeMutablePointer<Bool>!
) -> gpi_status {
    reporting {
        let result = try required(answer, "answer")
        result.pointee = try modelBox(model).components.hasSafetyChecker
    }
}

@c @implementation
public func gpi_model_check_safety(
    _ model: OpaquePointer!, _ pixels: OpaquePointer!, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!, _ flagged: UnsafeMutablePointer<Bool>!
) -> gpi_status {
    reporting {
        let result = try required(flagged, "flagged")
        let components = try modelBox(model).components
        let pictures = try RGBImage.pictures(decoded: tensor(pixels, "pixels"))
        let answers = try interruptible(interruption, interruptionContext) {
            try components.safetyCheck?.flagged(pictures)
        }
        for index in pictures.indices { result[index] = answers?[index] ?? false }
    }
}

/// The object behind a model's handle.
func modelBox(_ handle: OpaquePointer?) throws -> ModelBox {
    object(try required(handle, "model"), as: ModelBox.self)
}
