import Checkpoints
import Diffusion
import Imaging
import Pipelines
import Torch

/// Trains a `UNet2DModel` to make pictures of the kind that it is shown, from noise (Ho, Jain and Abbeel,
/// 2020, algorithm 1).
///
/// Answers to diffusers' `train_unconditional.py`.
public final class UnconditionalObjective: TrainingObjective {
    public struct Options: Codable, Equatable, Sendable {
        /// γ of Min-SNR (Hang et al., 2023, section 3.4); nil for all timesteps alike.
        public var snrGamma: Double?
        /// Steps of DDIM for samples.
        public var sampleSteps = 50

        public init() {}
    }

    public let options: Options
    /// That the model is saved in.
    public var savedDType = DType.float32
    public let parameters: [String: Tensor]
    public let facts: [String: String]
    private let model: UNet2DModel
    private let diffusionLoss: DiffusionLoss

    /// - Parameters:
    ///   - weights: that training starts from, named as in diffusers.
    ///   - configuration: of the model; pictures have its channels, three.
    ///   - scheduler: says how much noise there is at each timestep, and what is predicted.
    ///   - options: what else the loss depends on.
    ///   - dtype: that is computed in.
    ///   - device: that is computed on.
    ///   - library: that tensors are of.
    /// - Throws: `ConfigurationError`, `CheckpointError` if there is no such model;
    ///   `TrainingError.invalidArgument` for an option out of range.
    public init(
        _ weights: any TensorSource, configuration: UNet2DConfiguration,
        scheduler: DDPMConfiguration, options: Options = Options(), dtype: DType = .float32,
        device: Device = .cpu, in library: LibTorch
    ) throws {
        guard (1...1000).contains(options.sampleSteps) else {
            throw TrainingError.invalidArgument(
                name: "sample_steps", reason: "\(options.sampleSteps) is not between 1 and 1000.")
        }
        guard configuration.inChannels == 3, configuration.outChannels == 3 else {
            throw TrainingError.invalidArgument(
                name: "model",
                reason: """
                    it goes from \(configuration.inChannels) to \(configuration.outChannels) channels; pictures \
                    have 3.
                    """)
        }
        guard configuration.dropout == 0 else {
            throw TrainingError.invalidArgument(
                name: "model",
                reason: """
                    it is configured to be trained with a dropout of \(configuration.dropout), which is not \
                    supported. Set "dropout" to 0 in its unet/config.json.
                    """)
        }
        self.options = options
        diffusionLoss = try DiffusionLoss(
            DDPMScheduler(scheduler), minSNRGamma: options.snrGamma)
        let parameters = Parameters()
        model = try UNet2DModel(
            Weights(weights, dtype: dtype, device: device, keepingIn: parameters),
            configuration: configuration, in: library)
        self.parameters = parameters.tensors
        facts = [
            "model": "UNet2DModel", "configuration": Self.line(try configuration.json()),
            "starting_weights": try parameters.tensors.digest(), "dtype": dtype.rawValue,
            "noise_schedule": Self.line(try DDPMScheduler(scheduler).settings.json()),
            "snr_gamma": options.snrGamma.map { "\($0)" } ?? "none",
        ]
    }

    /// Begins from scratch.
    /// - Parameters:
    ///   - configuration: of the model; pictures have its channels, three.
    ///   - scheduler: says how much noise there is at each timestep, and what is predicted.
    ///   - seed: equal seeds give equal first weights.
    ///   - options: what else the loss depends on.
    ///   - dtype: that is computed in.
    ///   - device: that is computed on.
    ///   - library: that tensors are of.
    public convenience init(
        configuration: UNet2DConfiguration, scheduler: DDPMConfiguration, seed: UInt64,
        options: Options = Options(), dtype: DType = .float32, device: Device = .cpu,
        in library: LibTorch
    ) throws {
        try self.init(
            InitialWeights(seed: UInt32(truncatingIfNeeded: seed), in: library),
            configuration: configuration, scheduler: scheduler, options: options, dtype: dtype,
            device: device, in: library)
    }

    /// Goes on with a model that was trained before.
    /// - Parameters:
    ///   - folder: of an unconditional pipeline in diffusers' layout: `unet` and `scheduler`.
    ///   - options: what else the loss depends on.
    ///   - dtype: that is computed in.
    ///   - device: that is computed on.
    ///   - library: that tensors are of.
    public convenience init(
        startingFrom folder: String, options: Options = Options(), dtype: DType = .float32,
        device: Device = .cpu, in library: LibTorch
    ) throws {
        try self.init(
            ComponentFolder.open("\(folder)/unet", in: library),
            configuration: UNet2DConfiguration(path: "\(folder)/unet/config.json"),
            scheduler: DDPMConfiguration(
                SchedulerSettings(path: "\(folder)/scheduler/scheduler_config.json")),
            options: options, dtype: dtype, device: device, in: library)
    }

    /// A text of several lines as one.
    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    public func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor {
        let clean = try placed(batch.pixels(in: model.library))
        let noise = try placed(randomness.normal(clean.shape, in: model.library))
        let timesteps = randomness.timesteps(batch.count, below: diffusionLoss.timestepCount)
        return try diffusionLoss(clean, noise: noise, timesteps: timesteps) {
            try model($0, timesteps: $1)
        }
    }

    /// Pictures made from noise.
    public func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage] {
        var request = SamplingRequest(
            batchSize: count,
            numInferenceSteps: min(options.sampleSteps, diffusionLoss.timestepCount))
        let shape = [count, 3, data.size.height, data.size.width]
        request.noise = try placed(NoiseGenerator(seed: seed).normal(shape, in: model.library))
        return try DDIMPipeline(unet: model, settings: diffusionLoss.scheduler.settings)
            .pictures(for: request, seed: seed).pictures
    }

    public func save(to folder: String) throws {
        try SavedModel.ddpm(
            unet: .model(model.configuration, parameters: parameters, dtype: savedDType),
            scheduler: .scheduler(diffusionLoss.scheduler.settings)
        ).save(to: folder, replacing: true)
    }

    /// In the dtype and on the device of the model.
    private func placed(_ tensor: Tensor) throws -> Tensor {
        try tensor.converted(to: model.dtype).moved(to: model.device)
    }
}
