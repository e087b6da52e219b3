import ArgumentParser
import GPIDiffusion

/// Which model to run, and where.
struct ModelOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A folder in the layout of diffusers, or an id on the Hugging Face Hub.",
            discussion: "What is missing of a model on the hub is fetched first."))
    var model: String

    @Option(help: "Where models of the hub are kept; the folder of huggingface_hub unless given.")
    var cacheFolder: String?

    @Option(help: "cpu, cuda or cuda:N; the first NVIDIA device if there is one, else the CPU.")
    var device: Device?

    @Option(help: "The numbers that the model runs in; float16 is for GPUs.")
    var dtype = ModelDType.float32

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
        return try StableDiffusionComponents(folder: folder, dtype: dtype.value, device: device)
    }
}

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
