import ArgumentParser
import GPIDiffusion

struct TrainUnconditional: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unconditional",
        abstract: "Trains a model that makes pictures of the kind that it was shown, from noise.",
        discussion: """
            gpi-diffusion train unconditional butterflies --size 64 --output run

            diffusers' DDPMPipeline.from_pretrained("run/model") runs what comes of it.
            """)

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(
        name: .shortAndLong,
        help: "The folder of a model to go on with, a DDPMPipeline's; else one from scratch.")
    var model: String?

    @Option(help: "From scratch: channels at each level, each half as large as the one above.")
    var widths = Widths(values: [64, 128, 128, 256])

    @Option(help: "From scratch: residual blocks at each level.")
    var layers = 2

    @Option(help: "From scratch: how noise grows: linear, scaled_linear, squaredcos_cap_v2, ….")
    var noiseSchedule = NoiseSchedule.BetaSchedule.linear

    @Option(help: "From scratch: what the model predicts: epsilon, v_prediction or sample.")
    var predictionType = PredictionType.epsilon

    @Option(help: "How much timesteps with little noise count at most (Min-SNR); 5 is common.")
    var snrGamma: Double?

    @Option(help: "Steps of DDIM for samples.")
    var sampleSteps = 50

    func run() throws {
        let settings = try training.settings
        let data = try TrainingData(folder: training.pictures, settings: settings)
        try training.run(try objective(settings), data)
    }

    private func objective(_ settings: TrainingSettings) throws -> UnconditionalObjective {
        var options = UnconditionalObjective.Options()
        options.snrGamma = snrGamma
        options.sampleSteps = sampleSteps
        let (device, library) = try training.place()
        let dtype = training.dtype.value
        let objective: UnconditionalObjective
        if let model {
            objective = try UnconditionalObjective(
                startingFrom: model, options: options, dtype: dtype, device: device, in: library)
        } else {
            var scheduler = DDPMConfiguration()
            scheduler.training.betaSchedule = noiseSchedule
            scheduler.predictionType = predictionType
            objective = try UnconditionalObjective(
                configuration: UNet2DConfiguration(
                    widths: widths.values, layers: layers, width: settings.pixelSize.width,
                    height: settings.pixelSize.height),
                scheduler: scheduler, seed: settings.seed, options: options, dtype: dtype,
                device: device, in: library)
        }
        objective.savedDType = training.savedDtype.value
        return objective
    }
}

/// Numbers with commas between.
struct Widths: ExpressibleByArgument, CustomStringConvertible {
    let values: [Int]

    init(values: [Int]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Int($0) }
        guard values.count == parts.count else { return nil }
    }

    var description: String { values.map(String.init).joined(separator: ",") }
}

extension NoiseSchedule.BetaSchedule: ExpressibleByArgument {}
