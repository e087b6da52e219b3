import ArgumentParser
import GPIDiffusion

struct TrainAutoencoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoencoder",
        abstract: "Trains a model's autoencoder: pictures to latents, and back.",
        discussion: """
            gpi-diffusion train autoencoder photographs --model stable-diffusion-v1-5 --size 256 --output run

            run/model is the model that it began with, with the trained autoencoder.
            """)

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(
        name: .shortAndLong,
        help: "The folder of a model to begin with, in the layout of diffusers: whole or its vae.")
    var model: String

    @Option(help: "Weight of the mean absolute error.")
    var absoluteWeight = AutoencoderObjective.Options().absoluteWeight

    @Option(help: "Weight of the mean squared error.")
    var squaredWeight = AutoencoderObjective.Options().squaredWeight

    @Option(help: "Weight of the latents' divergence from standard normals (KL).")
    var divergenceWeight = AutoencoderObjective.Options().divergenceWeight

    @Option(help: "Weight of what keeps the scaled latents at unit variance.")
    var scaleWeight = AutoencoderObjective.Options().scaleWeight

    func run() throws {
        let settings = try training.settings
        let data = try TrainingData(folder: training.pictures, settings: settings)
        var options = AutoencoderObjective.Options()
        options.absoluteWeight = absoluteWeight
        options.squaredWeight = squaredWeight
        options.divergenceWeight = divergenceWeight
        options.scaleWeight = scaleWeight
        let (device, library) = try training.place()
        let objective = try AutoencoderObjective(
            startingFrom: model, options: options, dtype: training.dtype.value, device: device,
            in: library)
        objective.savedDType = training.savedDtype.value
        try training.run(objective, data)
    }
}
