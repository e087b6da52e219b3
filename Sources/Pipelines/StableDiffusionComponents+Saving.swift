import Checkpoints
import Diffusion
import Torch

extension StableDiffusionComponents {
    /// The model as it was loaded, to be saved in the diffusers layout; parts that were trained since
    /// are put in their place.
    ///
    ///     var model = try components.saved(dtype: .float16)
    ///     model.components["unet"] = .model(unet.configuration, parameters: trained.tensors)
    ///     try model.save(to: "model")
    ///
    /// Weights are read anew from where they lie, so what was done to them in memory is not in it. A
    /// single file in the original layout becomes a folder in diffusers' if there is a tokenizer.
    /// - Parameter dtype: that weights are saved in; as they are stored unless given.
    /// - Throws: what is wrong with the parts' files.
    public func saved(dtype: DType? = nil) throws -> SavedModel {
        let loader = PartLoader(dtype: nil, device: .cpu, library: library)
        return .stableDiffusion(
            autoencoder: .model(
                try loader.autoencoderConfiguration(folders.autoencoder),
                weights: try loader.source(folders.autoencoder, of: .autoencoder), dtype: dtype),
            tokenizer: .tokenizer(copiedFrom: folders.tokenizer),
            textEncoder: .model(
                try loader.textConfiguration(folders.textEncoder),
                weights: try loader.source(folders.textEncoder, of: .textEncoder), dtype: dtype),
            unet: .model(
                try loader.unetConfiguration(folders.unet) { try schedulerSettings },
                weights: try loader.source(folders.unet, of: .unet), dtype: dtype),
            scheduler: try .scheduler(schedulerSettings),
            safetyCheck: try hasSafetyChecker
                ? (
                    .copy(
                        of: folders.safetyChecker, library: "stable_diffusion",
                        className: "StableDiffusionSafetyChecker"),
                    .copy(
                        of: folders.featureExtractor, library: "transformers",
                        className: "CLIPImageProcessor")
                ) : nil)
    }
}
