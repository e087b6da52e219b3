import ArgumentParser
import GPIDiffusion

/// What every kind of training takes.
struct TrainingArguments: ParsableArguments {
    @Argument(help: "A folder, looked through with all folders in it; PNG or JPEG.")
    var pictures: String

    @Option(name: .shortAndLong, help: "The run's folder.")
    var output: String

    @Option(help: "Pixels that pictures are brought to: 64, or width and height as 64x96.")
    var size: PictureSize

    @Option(help: "How a picture of another shape gets that size: crop, pad or stretch.")
    var fit = PictureFit.crop

    @Flag(help: "Shows every second picture, at random, in a mirror.")
    var flips = false

    @Option(help: "Updates of the model.")
    var steps = TrainingSettings().steps

    @Option(help: "Pictures whose loss is computed at once.")
    var batchSize = TrainingSettings().batchSize

    @Option(help: "Batches whose gradients are averaged for one step.")
    var gradientAccumulationSteps = TrainingSettings().gradientAccumulationSteps

    @Option(help: "The length of AdamW's steps at its highest.")
    var learningRate = TrainingSettings().learningRate

    @Option(help: "How it falls after the warm-up: constant, linear or cosine.")
    var schedule = TrainingSettings().schedule

    @Option(help: "Steps over which it grows from 0.")
    var warmupSteps = TrainingSettings().warmupSteps

    @Option(help: "β₁ of AdamW.")
    var beta1 = TrainingSettings().beta1

    @Option(help: "β₂ of AdamW.")
    var beta2 = TrainingSettings().beta2

    @Option(help: "How much of a parameter AdamW takes away at a step of length 1.")
    var weightDecay = TrainingSettings().weightDecay

    @Option(help: "The length that gradients together may have; 0 for any.")
    var maxGradientNorm = 1.0

    @Option(help: "The most that stays of the parameters' average at a step; 0 for no average.")
    var averageDecay = 0.9999

    @Option(help: "Of the order of the pictures, the noise, and all else that is drawn.")
    var seed: UInt64 = 0

    @Option(help: "Steps between checkpoints.")
    var saveEvery = TrainingSettings().saveEvery

    @Option(help: "How many checkpoints are kept, the newest.")
    var checkpointsKept = TrainingSettings().checkpointsKept

    @Option(help: "Steps between sheets of samples; 0 for none.")
    var sampleEvery = TrainingSettings().sampleEvery

    @Option(help: "Pictures on such a sheet.")
    var sampleCount = TrainingSettings().sampleCount

    @Flag(
        inversion: .prefixedNo,
        help: "Goes on with the run that is in the folder; without, that one is removed.")
    var resume = true

    @Option(help: "cpu, cuda or cuda:N; the first NVIDIA device if there is one, else the CPU.")
    var device: Device?

    @Option(help: "The numbers that are computed with; of 16 bits the parameters stay in float32.")
    var dtype = ModelDType.float32

    @Option(help: "The numbers that the model is saved in.")
    var savedDtype = ModelDType.float32

    var settings: TrainingSettings {
        get throws {
            var settings = TrainingSettings()
            settings.size = [size.size.width, size.size.height]
            settings.fit = fit
            settings.flips = flips
            settings.steps = steps
            settings.batchSize = batchSize
            settings.gradientAccumulationSteps = gradientAccumulationSteps
            settings.learningRate = learningRate
            settings.schedule = schedule
            settings.warmupSteps = warmupSteps
            settings.beta1 = beta1
            settings.beta2 = beta2
            settings.weightDecay = weightDecay
            settings.maxGradientNorm = maxGradientNorm == 0 ? nil : maxGradientNorm
            settings.averageDecay = averageDecay == 0 ? nil : averageDecay
            settings.seed = seed
            settings.saveEvery = saveEvery
            settings.checkpointsKept = checkpointsKept
            settings.sampleEvery = sampleEvery
            settings.sampleCount = sampleCount
            try settings.check()
            return settings
        }
    }

    /// The device, and libtorch, which has it.
    func place() throws -> (device: Device, library: LibTorch) {
        let library = try LibTorch.shared()
        let device = device ?? .best(in: library)
        try device.checkAvailable(in: library)
        return (device, library)
    }

    /// Trains, with a line of progress, and prints where the model is.
    func run(_ objective: any TrainingObjective, _ data: TrainingData) throws {
        let run = try TrainingRun(
            folder: output, objective: objective, data: data, settings: settings)
        var line = ProgressLine()
        try run.run(resumes: resume) {
            line.show(
                share: Double($0.step.number) / Double($0.steps), label: "Training", facts: "\($0)")
        }
        print(run.folder.model)
    }
}

extension TrainingSettings.Schedule: ExpressibleByArgument {}
extension TrainingListing.Captions: ExpressibleByArgument {}
