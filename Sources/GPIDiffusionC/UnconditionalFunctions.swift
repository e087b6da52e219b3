import CGPIDiffusion
import Diffusion
import Pipelines
import Torch

// The functions of gpi_unconditional.h, in its order. What they do is documented there.

@c @implementation
public func gpi_model_unconditional_scheduler_settings(
    _ model: OpaquePointer!, _ json: UnsafeMutablePointer<UnsafePointer<CChar>?>!
) -> gpi_status {
    reporting {
        let result = try required(json, "json")
        let model = try modelBox(model)
        result.pointee = model.keep(try model.unconditional.schedulerSettings.json())
    }
}

@c @implementation
public func gpi_model_sample_shape(
    _ model: OpaquePointer!, _ count: Int64, _ shape: UnsafeMutablePointer<Int64>!
) -> gpi_status {
    reporting {
        let result = try required(shape, "shape")
        let sizes = try modelBox(model).unconditionalPipeline().sampleShape(count: Int(count))
        for (place, size) in sizes.prefix(4).enumerated() { result[place] = Int64(size) }
    }
}

@c @implementation
public func gpi_model_predict_unconditionally(
    _ model: OpaquePointer!, _ sample: OpaquePointer!, _ timesteps: UnsafePointer<Double>!,
    _ count: Int64, _ interruption: gpi_interruption!,
    _ interruptionContext: UnsafeMutableRawPointer!,
    _ prediction: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(prediction, "prediction")
        let unet = try modelBox(model).unconditional.unet
        let sample = try tensor(sample, "sample").converted(to: unet.dtype).moved(to: unet.device)
        guard count >= 1 else {
            throw PipelineError.invalidArgument(
                name: "timestep", reason: "there is none; at least one is needed.")
        }
        let places = UnsafeBufferPointer(
            start: try required(timesteps, "timesteps"), count: Int(count))
        let predicted = try interruptible(interruption, interruptionContext) {
            guard places.count > 1 else { return try unet(sample, timestep: places[0]) }
            let numbers = try places.map { timestep in
                guard let number = Int(exactly: timestep) else {
                    throw PipelineError.invalidArgument(
                        name: "timestep", reason: "\(timestep) is not a whole number.")
                }
                return number
            }
            return try unet(sample, timesteps: numbers)
        }
        result.pointee = handle(try TensorBox(predicted.contiguous()))
    }
}
