import Diffusion
import Torch

/// Makes pictures from noise by denoising diffusion implicit models (Song, Meng and Ermon, 2021), in far
/// fewer steps than training had.
///
/// Answers to diffusers' `DDIMPipeline`. Not `Sendable`: use one for each thread.
public final class DDIMPipeline: UnconditionalPipeline {
    public let unet: UNet2DModel
    /// With the settings of the one that the model was given.
    public var scheduler: any Scheduler

    /// - Parameters:
    ///   - modelFolder: a model in the diffusers layout, see `UnconditionalComponents`.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - dtype: float32, float16 or bfloat16, that the model runs in.
    /// - Throws: `TorchError` without a usable libtorch or device; `ConfigurationError` or
    ///   `CheckpointError` if the files cannot be followed.
    public convenience init(
        modelFolder: String, device: Device? = nil, dtype: DType = .float32
    ) throws {
        let components = try UnconditionalComponents(
            folder: modelFolder, dtype: dtype, device: device)
        try self.init(unet: components.unet, settings: components.schedulerSettings)
    }

    /// - Parameters:
    ///   - unet: predicts what the scheduler expects of it.
    ///   - settings: of the noise that the UNet was trained with, whatever scheduler they are of.
    /// - Throws: `ConfigurationError` for values that a `DDIMScheduler` cannot use.
    public init(unet: UNet2DModel, settings: SchedulerSettings) throws {
        self.unet = unet
        scheduler = try DDIMScheduler(settings)
    }
}
