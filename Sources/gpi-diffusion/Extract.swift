import ArgumentParser
import FoundationEssentials
import GPIDiffusion

struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the latents of all pictures of a study.",
        discussion: """
            gpi-diffusion extract --model stable-diffusion-v1-5 photographs --output study --size 512 \
            --seed 42

            The folder gets latents/NAME.pt for each picture, manifest.jsonl with a row for each, and \
            settings.json; with --size also latents.npy, all in one array. Begun again after a kill, it keeps \
            what is done. Pictures that fail are recorded and passed over; then it ends with status 1.

            On many machines: --shard 1/5 to --shard 5/5, in any order and at the same time, then once \
            without, which joins them.
            """)

    @Argument(
        help: "A folder, looked through with all folders in it, or picture files; PNG or JPEG.")
    var images: [String]

    @Option(name: .shortAndLong, help: "The study's folder.")
    var output: String

    @Option(help: "Pixels of all pictures: 512, or width and height as 512x768; multiples of 8.")
    var size: PictureSize?

    @Option(help: "How a picture of another shape gets that size: crop, pad or stretch.")
    var fit = PictureFit.crop

    @Option(help: "The colour under transparent and beside padded pictures: white, #rrggbb, ….")
    var background = RGBColor.white

    @Flag(inversion: .prefixedNo, help: "Turns pictures as their EXIF data say.")
    var exif = true

    @Option(help: "What is taken of the encoder's distribution: sample or mode.")
    var posterior = PosteriorChoice.sample

    @Option(help: "How far pictures are changed under the prompt, 0 (not at all) to 1.")
    var strength = 0.0

    @Option(help: "What the changed pictures show.")
    var prompt = ""

    @Option(help: "What they are led away from.")
    var negativePrompt: String?

    @Option(help: "Steps of the whole way from noise to picture.")
    var steps = 50

    @Option(help: "How strongly the prompt is followed.")
    var guidanceScale = 7.5

    @Option(help: "Equal seeds give equal noise; every picture gets this one.")
    var seed: UInt64 = 0

    @Flag(
        inversion: .prefixedNo,
        help: "Writes all latents as one array too, latents.npy; unless given, with --size.")
    var stacked: Bool?

    @Flag(help: "Writes the pictures that the latents decode to.")
    var saveImages = false

    @Flag(inversion: .prefixedNo, help: "Keeps what is done; without, everything is made anew.")
    var resume = true

    @Flag(help: "Ends at the first picture that fails.")
    var stopAtFailure = false

    @Option(help: "Does a part of the pictures: i/n, from 1/n to n/n.")
    var shard: Shard?

    @Option(help: "Neighbours of one size that are computed at once on a GPU; 1 on a CPU always.")
    var batchSize = 8

    @OptionGroup(title: "Model") var model: StudyModelOptions

    func run() throws {
        var settings = StudySettings()
        settings.size = size.map { [$0.size.width, $0.size.height] }
        settings.fit = fit
        settings.background = background
        settings.exif = exif
        settings.posterior = posterior
        settings.denoising = DenoisingOptions(
            strength: strength, numInferenceSteps: steps, guidanceScale: guidanceScale,
            negativePrompt: negativePrompt)
        settings.prompt = prompt
        settings.seed = seed
        settings.dtype = model.dtype.rawValue
        settings.precision = model.precision
        try settings.check()

        var line = ProgressLine()
        let summary = try extractDataset(
            pictures(), to: output, settings: settings,
            modelFolder: model.folder(wholeModel: strength > 0), modelName: model.model,
            device: model.device, stacked: stacked ?? (size != nil && shard == nil),
            savesPictures: saveImages, resumes: resume, stopsAtFailure: stopAtFailure, shard: shard,
            batchSize: batchSize,
            warn: ProgressLine.note
        ) {
            line.show(
                share: Double($0.finished) / Double($0.total), label: "Extracting",
                facts: "\($0)")
        }
        for failure in summary.failures { ProgressLine.note(failure.reason) }
        print(summary)
        guard summary.failures.isEmpty else { throw ExitCode(1) }
    }

    private func pictures() throws -> [StudyPicture] {
        var isFolder = false
        let isThere = FileManager.default.fileExists(atPath: images[0], isDirectory: &isFolder)
        guard images.count == 1, isFolder || !isThere else {
            return try PictureListing.pictures(images)
        }
        return try PictureListing.pictures(under: images[0])
    }
}

/// Which model makes a study's latents, and where.
struct StudyModelOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "A model: a folder, a file, or an id on the Hugging Face Hub.")
    var model = "runwayml/stable-diffusion-v1-5"

    @Option(help: "Where models of the hub are kept; the folder of huggingface_hub unless given.")
    var cacheFolder: String?

    @Option(help: "cpu, cuda or cuda:N; the first NVIDIA device if there is one, else the CPU.")
    var device: Device?

    @Option(help: "The numbers that the model runs in; float16 is for GPUs.")
    var dtype = ModelDType.float32

    @Option(
        help: """
            How exactly the model computes on a CPU: default, exact (PyTorch's own operators, slower), or \
            reduced (bfloat16).
            """)
    var precision = Precision.default

    /// The model's folder or file, fetched where it is missing.
    func folder(wholeModel: Bool) throws -> String {
        var progress = FetchProgress()
        return try ModelFolder.find(
            model, parts: wholeModel ? .wholeModel : .autoencoder, cacheFolder: cacheFolder
        ) { progress.show($0) }
    }
}

/// 512, or width and height as 512x768.
struct PictureSize: ExpressibleByArgument {
    let size: PixelSize

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard let width = sides.first ?? nil, sides.count <= 2, let height = sides.last ?? nil
        else {
            return nil
        }
        size = PixelSize(width: width, height: height)
    }
}

extension PictureFit: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension PosteriorChoice: ExpressibleByArgument {}

extension RGBColor: ExpressibleByArgument {
    public init?(argument: String) {
        guard let color = try? RGBColor(parsing: argument) else { return nil }
        self = color
    }
}

extension Shard: ExpressibleByArgument {
    public init?(argument: String) {
        guard let shard = try? Shard(parsing: argument) else { return nil }
        self = shard
    }
}
