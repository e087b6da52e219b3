import ArgumentParser
import GPIDiffusion

struct Similar: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes pictures that are similar to a given one.",
        discussion: """
            Noise is added to the picture and taken away again under a prompt. The later the start step, \
            the more of the picture stays.

            gpi-diffusion similar --model stable-diffusion-v1-5 portrait.jpg \
            --prompt "a portrait, oil on canvas" --start-step 20
            """)

    @Argument(help: "A PNG or JPEG file. It is shrunk to 512 pixels on its longest side.")
    var picture: String

    @Option(help: "What the pictures show.")
    var prompt = ""

    @Option(help: "Step to start from: 0 (nothing of the picture stays) up to the number of steps.")
    var startStep = 10

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Denoising") var denoising: DenoisingArguments
    @OptionGroup(title: "Output") var files: OutputFiles

    func validate() throws {
        guard 0..<denoising.steps ~= startStep else {
            throw ValidationError(
                "--start-step: \(startStep) is not between 0 and \(denoising.steps - 1).")
        }
    }

    func run() throws {
        let source = try ImageExtractor.prepared(RGBImage(contentsOf: picture))
        try files.makeFolder()
        let diffusion = try ImageDiffusionModel(model.components(), warn: ProgressLine.note)
        if let name = model.scheduler {
            diffusion.similarityScheduler = try Schedulers.type(named: name)
                .init(diffusion.similarityScheduler.settings)
        }
        let seeds = denoising.seeds()
        for (index, seed) in seeds.enumerated() {
            var progress = StepProgress("Picture \(index + 1) of \(seeds.count)")
            let similar = try diffusion.similarPictures(
                to: source, prompt: prompt, numInferenceSteps: denoising.steps,
                guidanceScale: denoising.guidanceScale, startStep: startStep, seed: seed
            ) { progress.show($0.number + 1, of: $0.count) }
            let path = files.path(index, of: seeds.count)
            try record(seed, similar[0], diffusion).write(similar[0], to: path)
            print("\(path)  seed \(seed)")
        }
    }

    private func record(
        _ seed: UInt64, _ made: RGBImage, _ diffusion: ImageDiffusionModel
    ) -> GenerationRecord {
        GenerationRecord(
            prompt: prompt,
            facts: [
                ("Steps", "\(denoising.steps)"), ("Start step", "\(startStep)"),
                ("Sampler", type(of: diffusion.similarityScheduler).name),
                ("CFG scale", "\(denoising.guidanceScale)"), ("Seed", "\(seed)"),
                ("Size", "\(made.width)x\(made.height)"), ("Picture", picture),
                ("Model", model.model),
            ])
    }
}
