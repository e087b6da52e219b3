import ArgumentParser
import GPIDiffusion

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists what a model consists of, and what is missing or unknown.",
        discussion: "Weights are looked at, not loaded. Ends with status 1 if something is wrong.")

    @Argument(
        help: "A folder, a single file in the original layout, or an id on the Hugging Face Hub.")
    var model: String

    @Option(help: "Where models of the hub are kept; the folder of huggingface_hub unless given.")
    var cacheFolder: String?

    @Flag(help: "Lists every tensor.")
    var tensors = false

    func run() throws {
        var progress = FetchProgress()
        let folder = try ModelFolder.find(model, cacheFolder: cacheFolder) { progress.show($0) }
        let inspection = try ModelInspection(model: folder)
        print(folder)
        for part in inspection.parts { show(part, scheduler: inspection.scheduler) }
        guard inspection.parts.allSatisfy({ $0.problems.isEmpty }) else { throw ExitCode(1) }
    }

    private func show(_ part: ModelInspection.Part, scheduler: String?) {
        print("\n\(part.name)\(part.className.map { "  \($0)" } ?? "")")
        if let file = part.file {
            let types = part.dtypes.map(\.rawValue).joined(separator: ", ")
            print("  \(file)")
            print(
                """
                  \(part.tensors.count) tensors, \(Self.millions(part.parameterCount)) million \
                parameters, \(FetchProgress.size(part.byteCount)), \(types)
                """)
        }
        if part.name == "scheduler", let scheduler { print("  \(scheduler)") }
        if tensors {
            for (name, spec) in part.tensors {
                let shape = spec.shape.map(String.init).joined(separator: " × ")
                print("  \(name)  \(shape)  \(spec.dtype.rawValue)")
            }
        }
        for problem in part.problems { print("  ! \(problem)") }
    }

    private static func millions(_ count: Int) -> String {
        let tenths = (count + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
