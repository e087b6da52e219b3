import ArgumentParser
import GPIDiffusion

struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches a model from the Hugging Face Hub.",
        discussion: """
            Only what is needed and not there yet is fetched, into the cache that Python's \
            huggingface_hub and diffusers use. A fetch that was ended goes on where it was.
            """)

    @Argument(help: "An id such as stable-diffusion-v1-5/stable-diffusion-v1-5.")
    var id: String

    @Option(help: "A branch, a tag or a commit.")
    var revision = "main"

    @Option(help: "fp16 for weights in half precision; the plain ones unless given.")
    var variant: String?

    @Option(help: "Where models are kept; the folder of huggingface_hub unless given.")
    var cacheFolder: String?

    func run() throws {
        var progress = FetchProgress()
        let folder = try HubClient(cacheFolder: cacheFolder).snapshot(
            of: id, revision: revision, variant: variant, fallsBackToPlain: true,
            parts: .wholeModelWithSafetyChecker
        ) { progress.show($0) }
        print(folder)
    }
}
