import Diffusion
import Torch

/// Makes pictures from noise by denoising diffusion (Ho, Jain and Abbeel, 2020), as a rule in as many
/// steps as training had.
///
/// Answers to diffusers' `DDPMPipeline`. Not `Sendable`: use one for each thread.
public final class DDPMPipeline: UnconditionalPipeline {
    public let unet: UNet2DModel
    /// The one that the model's file names, until it is replaced. Any other may take its place.
    public var scheduler: any Scheduler

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout, see `UnconditionalComponents`.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - dtype: float32, float16 or bfloat16, that the model runs in.
    /// - Throws: `TorchError` without a usable libtorch or device; `ConfigurationError`,
    ///   `SchedulerError` or `CheckpointError` if the files cannot be followed.
    public convenience init(
        modelFolder: String, device: Device? = nil, dtype: DType = .float32
    ) throws {
        let components = try UnconditionalComponents(
            folder: modelFolder, dtype: dtype, device: device)
        try self.init(
            unet: components.unet, scheduler: Schedulers.scheduler(components.schedulerSettings))
    }

    /// - Parameters:
    ///   - unet: predicts what the scheduler expects of it.
    ///   - scheduler: of the noise that the UNet was trained with.
    public init(unet: UNet2DModel, scheduler: any Scheduler) {
        self.unet = unet
        self.scheduler = scheduler
    }
}
