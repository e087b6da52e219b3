import Diffusion
import FoundationEssentials
import Hub

/// Where a model is, by its folder or by its id on the Hugging Face Hub.
public enum ModelFolder {
    /// The folder or file of a model; fetches what is missing of one on the hub.
    ///
    /// - Parameters:
    ///   - model: a folder, a single file, or an id such as "stable-diffusion-v1-5/stable-diffusion-v1-5".
    ///   - parts: what of the model is needed.
    ///   - cacheFolder: where models are kept; the folder that Python's libraries use unless given.
    ///   - progress: told of a fetch. What it throws ends it; what has come by then is kept.
    /// - Throws: `HubError` that says what to do.
    public static func find(
        _ model: String, parts: HubParts = .wholeModelWithSafetyChecker,
        cacheFolder: String? = nil, progress: (HubProgress) throws -> Void = { _ in }
    ) throws -> String {
        if FileManager.default.fileExists(atPath: model) { return model }
        // What can only be a path is not asked for on the hub.
        let isPath = model.hasPrefix("/") || model.hasPrefix(".") || model.hasPrefix("~")
        guard !isPath else { throw ConfigurationError.notFound(path: model) }
        return try HubClient(cacheFolder: cacheFolder)
            .snapshot(of: model, parts: parts, progress: progress)
    }
}
