import ArgumentParser
import GPIDiffusion

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes pictures from a prompt.",
        discussion: """
            gpi-diffusion generate --model stable-diffusion-v1-5 "a lighthouse in a storm" \
            --count 4 --output storm.png
            """)

    @Argument(help: "What the pictures show.")
    var prompt: String

    @Option(help: "What the pictures are led away from.")
    var negativePrompt = ""

    @Option(help: "Pixels, a multiple of 8; what the model was trained on unless given.")
    var height: Int?

    @Option(help: "Pixels, a multiple of 8; what the model was trained on unless given.")
    var width: Int?

    @Option(help: "η of DDIM, from 0 for its deterministic steps to 1 for DDPM's.")
    var eta = 0.0

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Denoising") var denoising: DenoisingArguments
    @OptionGroup(title: "Output") var files: OutputFiles

    func run() throws {
        var request = GenerationRequest(prompt: prompt)
        request.negativePrompts = [negativePrompt]
        request.height = height
        request.width = width
        request.numInferenceSteps = denoising.steps
        request.guidanceScale = denoising.guidanceScale
        request.eta = eta
        try request.check()
        try files.makeFolder()

        let pipeline = try StableDiffusionPipeline(model.components(), warn: StepProgress.note)
        if let name = model.scheduler {
            pipeline.scheduler = try Schedulers.type(named: name).init(pipeline.scheduler.settings)
        }
        let seeds = denoising.seeds()
        for (index, seed) in seeds.enumerated() {
            var progress = StepProgress("Picture \(index + 1) of \(seeds.count)")
            let made = try pipeline.pictures(for: request, seed: seed) {
                progress.show($0.number + 1, of: $0.count)
            }
            let path = files.path(index, of: seeds.count)
            try record(seed, made.pictures[0], pipeline).write(made.pictures[0], to: path)
            print("\(path)  seed \(seed)")
        }
    }

    private func record(
        _ seed: UInt64, _ picture: RGBImage, _ pipeline: StableDiffusionPipeline
    ) -> GenerationRecord {
        GenerationRecord(
            prompt: prompt, negativePrompt: negativePrompt,
            facts: [
                ("Steps", "\(denoising.steps)"),
                ("Sampler", type(of: pipeline.scheduler).name),
                ("CFG scale", "\(denoising.guidanceScale)"), ("Seed", "\(seed)"),
                ("Size", "\(picture.width)x\(picture.height)"), ("Model", model.model),
            ])
    }
}
