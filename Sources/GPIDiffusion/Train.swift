import ImageFiles
import Imaging
import Training

extension TrainingData {
    /// The PNG and JPEG files under a folder, brought to one size.
    ///
    /// - Parameters:
    ///   - folder: looked through with all folders in it.
    ///   - captions: where captions come from.
    ///   - settings: say which size, and how a picture of another shape gets it.
    /// - Throws: `TrainingError.invalidArgument` if there is no picture, one without a caption, or a
    ///   caption without its picture.
    public convenience init(
        folder: String, captions: TrainingListing.Captions = .none, settings: TrainingSettings
    ) throws {
        try settings.check()
        let pictures = try TrainingListing.pictures(under: folder, captions: captions)
        try self.init(pictures, size: settings.pixelSize, fit: settings.fit) {
            try RGBImage(
                contentsOf: $0.path, options: ImageReadingOptions(appliesOrientation: true))
        }
    }
}

extension TrainingRun {
    /// A run whose pictures are PNG files.
    ///
    ///     var settings = TrainingSettings()
    ///     settings.steps = 20_000
    ///     let data = try TrainingData(folder: "butterflies", settings: settings)
    ///     let objective = try UnconditionalObjective(startingFrom: "ddpm", in: .shared())
    ///     try TrainingRun(folder: "run", objective: objective, data: data, settings: settings)
    ///         .run { print($0) }
    ///
    /// - Parameters:
    ///   - folder: made where it is missing.
    ///   - objective: what is trained, with its first parameters.
    ///   - data: what is learnt from.
    ///   - settings: how.
    /// - Throws: `TrainingError.invalidArgument`.
    public convenience init(
        folder: String, objective: any TrainingObjective, data: TrainingData,
        settings: TrainingSettings
    ) throws {
        try self.init(folder: folder, objective: objective, data: data, settings: settings) {
            try $0.pngBytes()
        }
    }
}
