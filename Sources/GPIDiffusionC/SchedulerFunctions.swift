import CGPIDiffusion
import Diffusion
import Pipelines
import Torch

// The functions of gpi_schedulers.h, in its order. What they do is documented there.

@c @implementation
public func gpi_scheduler_names(_ count: UnsafeMutablePointer<Int64>!) -> UnsafePointer<
    UnsafePointer<CChar>?
>! {
    count?.pointee = Int64(SchedulerNames.all.count)
    return UnsafePointer(SchedulerNames.all.baseAddress)
}

@c @implementation
public func gpi_scheduler_create(
    _ name: UnsafePointer<CChar>!, _ json: UnsafePointer<CChar>!,
    _ origin: UnsafePointer<CChar>!, _ scheduler: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(scheduler, "scheduler")
        var settings = try SchedulerSettings(
            json: String(cString: required(json, "json")).utf8,
            origin: origin.map { String(cString: $0) } ?? "The scheduler's configuration")
        if let name { settings.className = String(cString: name) }
        result.pointee = handle(try SchedulerBox(Schedulers.scheduler(settings)))
    }
}

@c @implementation
public func gpi_scheduler_copy(
    _ scheduler: OpaquePointer!, _ copy: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(copy, "copy")
        result.pointee = handle(try SchedulerBox(schedulerBox(scheduler).scheduler))
    }
}

@c @implementation
public func gpi_scheduler_name(_ scheduler: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(scheduler, as: SchedulerBox.self).name.baseAddress)
}

@c @implementation
public func gpi_scheduler_settings(_ scheduler: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(scheduler, as: SchedulerBox.self).settings.baseAddress)
}

@c @implementation
public func gpi_scheduler_set_timesteps(
    _ scheduler: OpaquePointer!, _ steps: Int64
) -> gpi_status {
    reporting { try schedulerBox(scheduler).setTimesteps(Int(steps)) }
}

@c @implementation
public func gpi_scheduler_timesteps(
    _ scheduler: OpaquePointer!, _ count: UnsafeMutablePointer<Int64>!
) -> UnsafePointer<Double>! {
    let timesteps = object(scheduler, as: SchedulerBox.self).timesteps
    count?.pointee = Int64(timesteps.count)
    return UnsafePointer(timesteps.baseAddress)
}

@c @implementation
public func gpi_scheduler_sigmas(
    _ scheduler: OpaquePointer!, _ count: UnsafeMutablePointer<Int64>!
) -> UnsafePointer<Double>! {
    let sigmas = object(scheduler, as: SchedulerBox.self).sigmas
    count?.pointee = Int64(sigmas.count)
    return UnsafePointer(sigmas.baseAddress)
}

@c @implementation
public func gpi_scheduler_initial_noise_sigma(_ scheduler: OpaquePointer!) -> Double {
    object(scheduler, as: SchedulerBox.self).scheduler.initialNoiseSigma
}

@c @implementation
public func gpi_scheduler_scale_model_input(
    _ scheduler: OpaquePointer!, _ sample: OpaquePointer!, _ index: Int64,
    _ input: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(input, "input")
        let scaled = try schedulerBox(scheduler).scheduler.modelInput(
            tensor(sample, "sample"), at: Int(index))
        result.pointee = handle(try TensorBox(scaled.contiguous()))
    }
}

@c @implementation
public func gpi_scheduler_step(
    _ scheduler: OpaquePointer!, _ prediction: OpaquePointer!, _ index: Int64,
    _ sample: OpaquePointer!, _ randomness: UnsafePointer<gpi_randomness>!,
    _ previous: UnsafeMutablePointer<OpaquePointer?>!,
    _ clean: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(previous, "previous")
        let step = try schedulerBox(scheduler).scheduler.step(
            tensor(prediction, "prediction"), at: Int(index), sample: tensor(sample, "sample"),
            randomness: StepRandomness(randomness?.pointee))
        let cleanBox = try clean == nil ? nil : step.clean.map { try TensorBox($0.contiguous()) }
        result.pointee = handle(try TensorBox(step.previous.contiguous()))
        clean?.pointee = cleanBox.map { handle($0) }
    }
}

@c @implementation
public func gpi_scheduler_add_noise(
    _ scheduler: OpaquePointer!, _ samples: OpaquePointer!, _ noise: OpaquePointer!,
    _ timesteps: UnsafePointer<Double>!, _ count: Int64,
    _ noised: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(noised, "noised")
        let scheduler = try schedulerBox(scheduler).scheduler
        let samples = try tensor(samples, "samples")
        let noise = try tensor(noise, "noise")
        guard noise.shape == samples.shape else {
            throw PipelineError.invalidArgument(
                name: "noise",
                reason: "the shape is \(noise.shape); that of the samples is \(samples.shape).")
        }
        guard count == 1 || Int(count) == samples.shape.first else {
            throw PipelineError.invalidArgument(
                name: "timesteps",
                reason: "there are \(count) for samples of shape \(samples.shape).")
        }
        let places = UnsafeBufferPointer(
            start: try required(timesteps, "timesteps"), count: Int(count))
        let parts = try places.enumerated().map { number, timestep in
            guard places.count > 1 else {
                return try scheduler.addNoise(noise, to: samples, at: timestep)
            }
            return try scheduler.addNoise(
                noise.narrowed(dimension: 0, start: number, length: 1),
                to: samples.narrowed(dimension: 0, start: number, length: 1), at: timestep)
        }
        result.pointee = handle(try TensorBox(Tensor.concatenated(parts, dimension: 0)))
    }
}

@c @implementation
public func gpi_scheduler_free(_ scheduler: OpaquePointer!) {
    free(scheduler, as: SchedulerBox.self)
}

extension StepRandomness {
    /// - Throws: `PipelineError.invalidArgument` for a struct of another size or an η out of its range.
    init(_ randomness: gpi_randomness?) throws {
        guard let randomness else {
            self = .process
            return
        }
        try checkSize(randomness.size, of: gpi_randomness.self, "randomness")
        guard (0...1).contains(randomness.eta) else {
            throw PipelineError.invalidArgument(
                name: "eta", reason: "\(randomness.eta) is not between 0 and 1.")
        }
        guard let draw = randomness.noise else {
            self.init(
                eta: randomness.eta,
                usesClippedModelOutput: randomness.uses_clipped_model_output,
                noise: StepRandomness.process.noise)
            return
        }
        self.init(
            eta: randomness.eta, usesClippedModelOutput: randomness.uses_clipped_model_output
        ) { like in
            let box = try TensorBox(like)
            var noise: OpaquePointer?
            let status = withExtendedLifetime(box) {
                draw(
                    randomness.noise_context,
                    OpaquePointer(Unmanaged.passUnretained(box).toOpaque()), &noise)
            }
            guard status == 0, let noise else { throw Interrupted() }
            defer { free(noise, as: TensorBox.self) }
            let drawn = object(noise, as: TensorBox.self).tensor
            guard drawn.shape == like.shape else {
                throw PipelineError.invalidArgument(
                    name: "noise",
                    reason: "the shape is \(drawn.shape); \(like.shape) was asked for.")
            }
            return try drawn.converted(to: like.dtype).moved(to: like.device)
        }
    }
}

/// The object behind a scheduler's handle.
func schedulerBox(_ handle: OpaquePointer?) throws -> SchedulerBox {
    object(try required(handle, "scheduler"), as: SchedulerBox.self)
}

/// The tensor behind a handle.
func tensor(_ handle: OpaquePointer?, _ name: String) throws -> Tensor {
    object(try required(handle, name), as: TensorBox.self).tensor
}
