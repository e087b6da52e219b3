import ArgumentParser
import GPIDiffusion

/// Which model to run, and where.
struct ModelOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A model: a folder, a file, or an id on the Hugging Face Hub.",
            discussion: """
                A folder in the layout of diffusers; a single file (.safetensors, .ckpt) in that of the \
                original Stable Diffusion 1.x or 2.x; or an id, of which what is missing is fetched.
                """))
    var model: String

    @Option(help: "The folder of the tokenizer, which a single file does not hold.")
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "What the model predicts; as its files say unless given.",
            discussion: "epsilon for single files of Stable Diffusion 2.x for 512 pixels."))
    var predictionType: PredictionType?

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

    @Flag(
        help: ArgumentHelp(
            "Takes pictures larger than the autoencoder was trained for in overlapping tiles.",
            discussion: "For little memory: pictures come out slightly different."))
    var vaeTiling = false

    @Option(
        help: ArgumentHelp(
            "The solver, by diffusers' name; the model's own unless given.",
            discussion: Schedulers.all.map { $0.name }.joined(separator: ", ")))
    var scheduler: String?

    func validate() throws {
        if let scheduler { _ = try Schedulers.type(named: scheduler) }
    }

    /// The model's parts, fetched where they are missing and loaded when they are used.
    func components() throws -> StableDiffusionComponents {
        var progress = FetchProgress()
        let folder = try ModelFolder.find(model, cacheFolder: cacheFolder) { progress.show($0) }
        var folders = ComponentFolders(model: folder)
        if let tokenizer { folders.tokenizer = tokenizer }
        let components = try StableDiffusionComponents(
            folders: folders, predictionType: predictionType, dtype: dtype.value, device: device,
            precision: precision)
        components.vaeTiling = vaeTiling
        return components
    }
}

extension PredictionType: ExpressibleByArgument {}

extension Device: ExpressibleByArgument {
    public init?(argument: String) {
        guard let device = try? Device(parsing: argument) else { return nil }
        self = device
    }
}

/// The types of numbers that models run in.
enum ModelDType: String, CaseIterable, ExpressibleByArgument {
    case float32, float16, bfloat16

    var value: DType {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        }
    }
}
