import ArgumentParser

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model on a folder of pictures.",
        discussion: """
            Each run has a folder: settings.json, loss.csv and loss.png, checkpoint-N, samples/N.png, and in \
            the end model, in the layout of diffusers. Begun again after a kill, a run goes on from its last \
            checkpoint and ends with the same bytes.
            """,
        subcommands: [TrainUnconditional.self, TrainAutoencoder.self, TrainTextToImage.self])
}
