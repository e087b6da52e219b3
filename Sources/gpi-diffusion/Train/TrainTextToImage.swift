import ArgumentParser
import GPIDiffusion

struct TrainTextToImage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text-to-image",
        abstract: "Trains a Stable Diffusion model on captioned pictures.",
        discussion: """
            gpi-diffusion train text-to-image drawings --captions metadata --model stable-diffusion-v1-5 \
            --size 512 --output run

            run/model is the model that it began with, with the trained UNet (and text encoder).
            """)

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(
        name: .shortAndLong,
        help: "The folder of a whole model to begin with, in the layout of diffusers.")
    var model: String

    @Option(
        help: """
            Where captions come from: metadata (metadata.jsonl in the folder, with lines \
            {"file_name": …, "text": …}) or names (the files' names).
            """)
    var captions = TrainingListing.Captions.metadata

    @Option(help: "Share of pictures whose caption is not shown, for guidance.")
    var captionDropout = TextToImageObjective.Options().captionDropout

    @Flag(help: "Trains the text encoder too.")
    var textEncoder = false

    @Option(help: "How much timesteps with little noise count at most (Min-SNR); 5 is common.")
    var snrGamma: Double?

    @Option(help: "How strongly samples follow their captions.")
    var guidanceScale = TextToImageObjective.Options().guidanceScale

    @Option(help: "Steps of DDIM for samples.")
    var sampleSteps = TextToImageObjective.Options().sampleSteps

    func run() throws {
        let settings = try training.settings
        let data = try TrainingData(
            folder: training.pictures, captions: captions, settings: settings)
        var options = TextToImageObjective.Options()
        options.captionDropout = captionDropout
        options.trainsTextEncoder = textEncoder
        options.snrGamma = snrGamma
        options.guidanceScale = guidanceScale
        options.sampleSteps = sampleSteps
        let (device, library) = try training.place()
        let objective = try TextToImageObjective(
            startingFrom: model, options: options, dtype: training.dtype.value, device: device,
            in: library)
        objective.savedDType = training.savedDtype.value
        try training.run(objective, data)
    }
}
