import Files

/// A whole model on its way to a folder in the diffusers layout, with its `model_index.json`.
///
///     try SavedModel.stableDiffusion(
///         autoencoder: .model(autoencoder.configuration, parameters: trained.tensors, dtype: .float16), …
///     ).save(to: "model")
public struct SavedModel {
    /// The pipeline in diffusers that runs it.
    public var className: String
    /// Its parts, by the names of their folders.
    public var components: [String: SavedComponent]
    /// Parts that the pipeline can have and this model does without.
    public var absentComponents: Set<String>
    /// What else the pipeline is told.
    public var settings: [String: Bool]

    public init(
        className: String, components: [String: SavedComponent],
        absentComponents: Set<String> = [], settings: [String: Bool] = [:]
    ) {
        self.className = className
        self.components = components
        self.absentComponents = absentComponents
        self.settings = settings
    }

    /// A model that makes pictures from prompts. Without a safety checker pictures are not checked.
    public static func stableDiffusion(
        autoencoder: SavedComponent, tokenizer: SavedComponent, textEncoder: SavedComponent,
        unet: SavedComponent, scheduler: SavedComponent,
        safetyCheck: (checker: SavedComponent, featureExtractor: SavedComponent)? = nil
    ) -> SavedModel {
        var model = SavedModel(
            className: "StableDiffusionPipeline",
            components: [
                "vae": autoencoder, "tokenizer": tokenizer, "text_encoder": textEncoder,
                "unet": unet, "scheduler": scheduler,
            ], absentComponents: ["image_encoder", "safety_checker", "feature_extractor"],
            settings: ["requires_safety_checker": safetyCheck != nil])
        if let safetyCheck {
            model.components["safety_checker"] = safetyCheck.checker
            model.components["feature_extractor"] = safetyCheck.featureExtractor
        }
        return model
    }

    /// A model that makes pictures of the kind that it was trained on, by ancestral sampling.
    public static func ddpm(unet: SavedComponent, scheduler: SavedComponent) -> SavedModel {
        SavedModel(
            className: "DDPMPipeline", components: ["unet": unet, "scheduler": scheduler])
    }

    /// The same, in fewer steps.
    public static func ddim(unet: SavedComponent, scheduler: SavedComponent) -> SavedModel {
        SavedModel(
            className: "DDIMPipeline", components: ["unet": unet, "scheduler": scheduler])
    }

    /// Saves the model, as a pipeline's `save_pretrained` does.
    ///
    /// - Parameters:
    ///   - folder: appears whole or not at all.
    ///   - replacing: whether a folder that is already there is replaced, with all that is in it.
    /// - Throws: `OccupiedPath` if there is one that must not be; `WriteError`, or what is wrong with
    ///   where a part comes from.
    public func save(to folder: String, replacing: Bool = false) throws {
        try PendingFolder.write(to: folder, replacing: replacing) { folder in
            for (name, component) in components.sorted(by: { $0.key < $1.key }) {
                try PendingFolder.make("\(folder)/\(name)")
                try component.write(into: "\(folder)/\(name)")
            }
            try AtomicFile.write(index().utf8, to: "\(folder)/\(ModelIndex.fileName)")
        }
    }

    /// The text of `model_index.json`.
    private func index() throws -> String {
        var values: [String: JSONValue] = [
            "_class_name": .string(className),
            "_diffusers_version": .string(ModelLibrary.diffusersVersion),
        ]
        for name in absentComponents { values[name] = .list([.null, .null]) }
        for (name, component) in components {
            values[name] = .list([.string(component.library), .string(component.className)])
        }
        for (name, value) in settings { values[name] = .bool(value) }
        return try ConfigurationFile.text(values)
    }
}
