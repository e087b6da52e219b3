import ArgumentParser
import FoundationEssentials
import GPIDiffusion

struct Sheet: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws a contact sheet of a study: pictures beside what their latents decode to.",
        discussion: "gpi-diffusion sheet study --output sheet.png --count 24")

    @Argument(help: "The study's folder.")
    var study: String

    @Option(name: .shortAndLong, help: "A PNG file; sheet.png in the study's folder unless given.")
    var output: String?

    @Option(help: "Pictures on the sheet, drawn at random.")
    var count = 12

    @Option(help: "Equal seeds choose equal pictures.")
    var seed: UInt64 = 0

    @Option(help: "Pairs in a row.")
    var columns = 3

    @Option(help: "Pixels of the longest side of a picture on the sheet.")
    var cell = 160

    @Option(
        name: .shortAndLong,
        help: "A model: a folder, a file or an id; that of the study unless given.")
    var model: String?

    @Option(help: "Where models of the hub are kept; the folder of huggingface_hub unless given.")
    var cacheFolder: String?

    @Option(help: "cpu, cuda or cuda:N; the first NVIDIA device if there is one, else the CPU.")
    var device: Device?

    func run() throws {
        let record = try StudyRecord(path: StudyFolder(study).settings)
        var progress = FetchProgress()
        let folder = try ModelFolder.find(
            model ?? record.model.name, parts: .autoencoder, cacheFolder: cacheFolder
        ) { progress.show($0) }
        var sheet = StudySheet()
        sheet.count = count
        sheet.seed = seed
        sheet.columns = columns
        sheet.cell = cell
        let path = output ?? "\(study)/sheet.png"
        try Study(
            folder: study, settings: record.settings, modelFolder: folder, device: device,
            warn: ProgressLine.note
        ).sheet(sheet).writePNG(to: path)
        print(path)
    }
}
