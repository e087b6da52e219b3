import FoundationEssentials

@testable import Diffusion

/// Configuration files. The first character of an input is no part of the file: the digit says
/// what the file is for.
enum ConfigurationTargets {
    static let all = [configurations, schedulers]

    /// 0 `vae`, 1 `unet`, 2 `text_encoder`, 3 `safety_checker`, 4 `feature_extractor`,
    /// 5 `model_index.json`.
    static let configurations = FuzzTarget(name: "configurations") { bytes in
        guard let kind = digit(bytes) else { return }
        let path = try ScratchFolder.shared.write(
            UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), to: "config.json")
        switch kind {
        case 0:
            let vae = try AutoencoderKLConfiguration(path: path)
            try Fault.unless(vae.firstWidth > 0 && vae.lastWidth > 0, "\(vae)")
        case 1:
            let unet = try UNet2DConditionConfiguration(path: path)
            // As the model's initialiser asks.
            for level in unet.blockOutChannels.indices {
                _ = unet.transformer(level: level)
                _ = unet.layersPerBlock[level]
            }
            _ = unet.transformer(level: unet.blockOutChannels.count - 1, inMiddle: true)
            try Fault.unless(unet.timeEmbeddingSize > 0, "\(unet)")
        case 2: _ = try CLIPTextConfiguration(path: path)
        case 3:
            let checker = try StableDiffusionSafetyCheckerConfiguration(path: path)
            try Fault.unless(checker.visionConfig.length > 1, "\(checker)")
        case 4:
            let processor = try CLIPImageProcessorConfiguration(path: path)
            try Fault.unless(
                processor.imageMean.count == 3 && processor.imageStd.count == 3, "\(processor)")
        default: _ = try ModelIndex(path: path)
        }
    }

    /// The digit is the place in `Schedulers.all`.
    static let schedulers = FuzzTarget(name: "schedulers") { bytes in
        guard let kind = digit(bytes), Schedulers.all.indices.contains(kind) else { return }
        let settings = try SchedulerSettings(json: bytes.dropFirst(), origin: "file")
        var scheduler = try Schedulers.all[kind].init(settings)
        let written = try scheduler.settings.json()
        _ = try Schedulers.scheduler(SchedulerSettings(json: written.utf8, origin: "file"))
        try scheduler.setTimesteps(5)
        _ = (scheduler.sigmas, scheduler.initialNoiseSigma)
        for timestep in scheduler.timesteps { _ = try scheduler.shares(at: timestep) }
    }

    private static func digit(_ bytes: UnsafeRawBufferPointer) -> Int? {
        bytes.first.flatMap { Character(UnicodeScalar($0)).wholeNumberValue }
    }
}
