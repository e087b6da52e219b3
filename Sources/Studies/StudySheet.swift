import Checkpoints
import Files
import FoundationEssentials
import Imaging
import Pipelines
import Torch

/// A random sample of a study for the eye: each picture as the model saw it beside what its latents
/// decode to.
public struct StudySheet: Sendable {
    /// Pictures on the sheet; fewer if there are fewer.
    public var count = 12
    /// Equal seeds choose equal pictures.
    public var seed: UInt64 = 0
    /// Pairs in a row.
    public var columns = 3
    /// Pixels of the longest side of a picture on the sheet.
    public var cell = 160

    public init() {}

    /// - Throws: `StudyError.invalidArgument`.
    func check() throws {
        for (name, value, limit) in [
            ("count", count, 10_000), ("columns", columns, 100), ("cell", cell, 2048),
        ]
        where !(1...limit).contains(value) {
            throw StudyError.invalidArgument(
                name: name, reason: "\(value) is not between 1 and \(limit).")
        }
    }
}

extension Study {
    /// Draws a contact sheet of what was done in the folder; the study need not be finished.
    ///
    /// - Throws: `StudyError.invalidArgument` if nothing is done yet; the errors of reading the pictures
    ///   and of the model.
    public func sheet(_ options: StudySheet = StudySheet()) throws -> RGBImage {
        try options.check()
        let done = try Manifest.rows(at: folder.manifest).values.filter { $0.status == .done }
            .sorted { $0.name < $1.name }
        guard !done.isEmpty else {
            throw StudyError.invalidArgument(
                name: "output_dir",
                reason: "\(folder.manifest) has no finished picture; extract the study first.")
        }
        var generator = SplitMix64(seed: options.seed)
        let chosen = done.shuffled(using: &generator).prefix(options.count).sorted {
            NaturalOrder.precedes($0.name, $1.name)
        }
        var sheet = try ContactSheet(
            pairCount: chosen.count, columns: options.columns, cell: options.cell)
        for (index, row) in chosen.enumerated() {
            let input = try codec.decode(FileBytes.of(row.source), row.source)
            let latents = try SavedTensor(path: folder.latents(row.name))
            let output = try extractor.picture(
                from: Latents(latents, in: LibTorch.shared()))
            try sheet.draw(name: row.name, input: input, output: output, at: index)
        }
        return sheet.image
    }
}
