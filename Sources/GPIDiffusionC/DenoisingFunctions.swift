import CGPIDiffusion
import Pipelines
import Torch

// The functions of gpi_models.h about denoising, in its order. What they do is documented there.

@c @implementation
public func gpi_model_latent_shape(
    _ model: OpaquePointer!, _ count: Int64, _ height: Int64, _ width: Int64,
    _ shape: UnsafeMutablePointer<Int64>!
) -> gpi_status {
    reporting {
        let result = try required(shape, "shape")
        var request = GenerationRequest(prompt: "")
        request.height = height == 0 ? nil : Int(height)
        request.width = width == 0 ? nil : Int(width)
        try request.check()
        let sizes = try modelBox(model).pipeline().latentShape(
            count: Int(count), height: request.height, width: request.width)
        for (place, size) in sizes.prefix(4).enumerated() { result[place] = Int64(size) }
    }
}

@c @implementation
public func gpi_model_denoise(
    _ model: OpaquePointer!, _ denoising: UnsafePointer<gpi_denoising>!,
    _ latents: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(latents, "latents")
        let model = try modelBox(model)
        let denoising = try required(denoising, "denoising").pointee
        try checkSize(denoising.size, of: gpi_denoising.self, "denoising")
        let reached = try interruptible(denoising.interruption, denoising.interruption_context) {
            var loop = try model.loop(denoising)
            while let step = try loop.next() {
                guard try proceeds(after: step, &loop, denoising) else { break }
            }
            guard try loop.latents.isFinite() else { throw PipelineError.notFinite("latents") }
            return loop.latents
        }
        result.pointee = handle(try TensorBox(reached.contiguous()))
    }
}

/// Tells the caller of a step, and takes over what it puts in the latents' place.
private func proceeds(
    after step: DenoisingStep, _ loop: inout DenoisingLoop, _ denoising: gpi_denoising
) throws -> Bool {
    guard let callback = denoising.on_step else { return true }
    let box = try TensorBox(step.latents.contiguous())
    var told = gpi_step(
        number: Int64(step.number), count: Int64(step.count), timestep: step.timestep,
        latents: OpaquePointer(Unmanaged.passUnretained(box).toOpaque()), replacement: nil)
    let answer = withExtendedLifetime(box) { callback(denoising.on_step_context, &told) }
    if let replacement = told.replacement {
        defer { free(replacement, as: TensorBox.self) }
        let tensor = object(replacement, as: TensorBox.self).tensor
        guard tensor.shape == step.latents.shape else {
            throw PipelineError.invalidArgument(
                name: "latents",
                reason: """
                    the step's callback gave the shape \(tensor.shape); \(step.latents.shape) is \
                    needed.
                    """)
        }
        // Copied: the caller's tensor may be changed after this.
        loop.latents = try tensor.converted(to: step.latents.dtype)
            .moved(to: step.latents.device).cloned()
    }
    return answer == 0
}
