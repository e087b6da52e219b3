import ArgumentParser

@main
struct GPIDiffusionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gpi-diffusion",
        abstract: "Stable Diffusion on the command line: latents of pictures, pictures from words.",
        discussion: """
            A model is a folder in the layout of diffusers, as `save_pretrained` writes it, or an id on \
            the Hugging Face Hub. PyTorch 2.10 or newer has to be installed (pip install torch); LIBTORCH names another folder of its \
            libraries.
            """,
        subcommands: [
            Extract.self, Sheet.self, Generate.self, Similar.self, Train.self, FetchCommand.self,
            Inspect.self,
        ])
}
