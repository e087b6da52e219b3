import Checkpoints

/// The schedulers' settings of Stable Diffusion where no file has them: the noise schedule of the
/// original's own configuration, and the scheduler that diffusers takes for it.
extension SchedulerSettings {
    /// Stable Diffusion 1.x: PNDM.
    /// - Parameters:
    ///   - predictionType: what the UNet was trained to predict.
    ///   - origin: what errors call the settings.
    public static func stableDiffusion1(
        predictionType: PredictionType = .epsilon, origin: String
    ) -> SchedulerSettings {
        original("PNDMScheduler", predictionType, origin)
    }

    /// Stable Diffusion 2.x: DDIM.
    /// - Parameters:
    ///   - predictionType: `.velocity` in the models for 768 pixels, `.epsilon` in those for 512.
    ///   - origin: what errors call the settings.
    public static func stableDiffusion2(
        predictionType: PredictionType, origin: String
    ) -> SchedulerSettings {
        original("DDIMScheduler", predictionType, origin)
    }

    /// Those of a single file.
    ///
    /// No tensor tells what a model predicts. A file may say so itself, in the metadata that ModelSpec
    /// describes. Else versions 1.x predict the noise, and versions 2.x the velocity, unless trained for
    /// 875,000 steps, as the model for 512 pixels was: so does diffusers' `from_single_file`.
    ///
    /// - Throws: `CheckpointError` if the file has neither a text encoder nor a UNet.
    public init(inferredFrom checkpoint: OriginalCheckpoint) throws {
        let origin = "The scheduler's configuration for \(checkpoint.path)"
        let stated = checkpoint.statedPredictionType
        guard try checkpoint.isVersion2() else {
            self = .stableDiffusion1(predictionType: stated ?? .epsilon, origin: origin)
            return
        }
        self = .stableDiffusion2(predictionType: stated ?? .velocity, origin: origin)
        guard stated == nil else { return }
        warning = """
            \(checkpoint.path) does not say what the model predicts. As a Stable Diffusion 2.x model it is \
            taken to predict the velocity, as those for 768 pixels do. If pictures come out as noise, \
            set the prediction type to "epsilon".
            """
    }

    private static func original(
        _ className: String, _ predictionType: PredictionType, _ origin: String
    ) -> SchedulerSettings {
        SchedulerSettings(
            [
                "num_train_timesteps": .integer(1000),
                "beta_start": .number(0.00085),
                "beta_end": .number(0.012),
                "beta_schedule": .text("scaled_linear"),
                "clip_sample": .bool(false),
                "set_alpha_to_one": .bool(false),
                "skip_prk_steps": .bool(true),
                "steps_offset": .integer(1),
                "prediction_type": .text(predictionType.rawValue),
            ], className: className, origin: origin)
    }
}

extension OriginalCheckpoint {
    /// Steps of training of the Stable Diffusion 2.0 model for 512 pixels, which predicts the noise.
    private static let stepsOfVersion2Base = 875_000

    /// What the file says that the model predicts.
    fileprivate var statedPredictionType: PredictionType? {
        switch metadata["modelspec.prediction_type"] {
        case "v", "v_prediction": .velocity
        case "epsilon": .epsilon
        default: globalStep == Self.stepsOfVersion2Base ? .epsilon : nil
        }
    }

    /// Whether it is Stable Diffusion 2.x rather than 1.x: by the text encoder, or without one by the
    /// layers around the UNet's attention.
    public func isVersion2() throws -> Bool {
        if let textEncoder { return textEncoder == .openCLIP }
        return try UNet2DConditionConfiguration(inferredFrom: source(of: .unet)).useLinearProjection
    }
}
