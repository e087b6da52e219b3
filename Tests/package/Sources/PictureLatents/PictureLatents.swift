import GPIDiffusion

/// `PictureLatents MODEL_FOLDER PICTURE LATENTS.pt`
@main
struct PictureLatents {
    static func main() throws {
        let arguments = CommandLine.arguments
        let extractor = try ImageExtractor(modelFolder: arguments[1], device: .cpu)
        let latents = try extractor.latents(of: RGBImage(contentsOf: arguments[2]), seed: 42)
        try latents.write(to: arguments[3])
        print(latents.shape)
    }
}
