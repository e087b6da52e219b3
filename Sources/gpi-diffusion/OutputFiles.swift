import ArgumentParser
import FoundationEssentials
import GPIDiffusion

/// Where the pictures go, each with what it was made from.
struct OutputFiles: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help:
            "A PNG file. Of several pictures each gets its number: picture-1.png, picture-2.png, …."
    )
    var output = "picture.png"

    func validate() throws {
        guard output.lowercased().hasSuffix(".png") else {
            throw ValidationError("--output: \(output) does not end in .png.")
        }
    }

    /// The path of picture `index` of `count`.
    func path(_ index: Int, of count: Int) -> String {
        count == 1 ? output : "\(output.dropLast(4))-\(index + 1).png"
    }

    /// Makes the folder where it is missing, so that a long run does not end at its first picture.
    func makeFolder() throws {
        let parts = output.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.joined(separator: "/")
        guard !folder.isEmpty else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
}

/// What a picture was made from, as text for people and for programs that read such pictures: the
/// prompt, then a line of names and values (the chunk "parameters" that web front ends began with).
struct GenerationRecord {
    var prompt: String
    var negativePrompt = ""
    var facts: [(name: String, value: String)]

    func write(_ picture: RGBImage, to path: String) throws {
        let negative = negativePrompt.isEmpty ? "" : "\nNegative prompt: \(negativePrompt)"
        let line = facts.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
        try picture.writePNG(
            to: path,
            text: ["parameters": "\(prompt)\(negative)\n\(line)", "Software": "gpi-diffusion"])
    }
}
