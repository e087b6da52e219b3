import Foundation
import GPIDiffusion
import TestSupport
import Testing

/// The Swift face on the checkpoint that ships with the repository. Numbers are compared with the
/// original by `Tests/parity`.
@Suite struct ExtractImagesTests {
    private let folder: TemporaryFolder
    private let picture: String

    init() throws {
        folder = try TemporaryFolder()
        picture = folder.file("picture.png")
        let pixels = (0..<(3 * 40 * 24)).map { UInt8(truncatingIfNeeded: $0 * 7) }
        try RGBImage(width: 40, height: 24, pixels: pixels).writePNG(to: picture)
    }

    private static var model: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("python/demo_checkpoint").path
    }

    @Test func writesLatentsAndPictures() throws {
        var done: [Int] = []
        try extractImages(
            [picture, picture], hiddenFolder: folder.file("a/hidden"),
            pictureFolder: folder.file("pictures"), modelFolder: Self.model, device: .cpu, seed: 42,
            progress: { done.append($0) })
        #expect(done == [1, 2])
        let first = try folder.read("a/hidden/hidden_0.pt")
        #expect(first == (try folder.read("a/hidden/hidden_1.pt")), "equal seeds, equal latents")
        let decoded = try RGBImage(contentsOf: folder.file("pictures/gen_1.png"))
        #expect((decoded.width, decoded.height) == (40, 24))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("a/hidden")).count == 2)
    }

    @Test func strengthChangesLatentsAndReportsItsSteps() throws {
        let extractor = try ImageExtractor(modelFolder: Self.model, device: .cpu)
        let image = try RGBImage(contentsOf: picture)
        var steps: [Int] = []
        let options = DenoisingOptions(strength: 0.5, numInferenceSteps: 4)
        let changed = try extractor.latents(
            of: image, prompt: "a cat", options: options, seed: 1,
            progress: { step, count in
                #expect(count == 2 || count == 3)
                steps.append(step)
            })
        let plain = try extractor.latents(of: image, seed: 1)
        #expect(steps == Array(steps.indices))
        #expect(!steps.isEmpty)
        #expect(changed.shape == plain.shape)
        #expect(plain.shape == [1, 4, 6, 10])
        #expect(try changed.values() != plain.values())
    }

    /// What a GPU computes at once, each picture with its own prompt and noise.
    @Test(arguments: [0, 0.6]) func batchesAreSinglePicturesSideBySide(_ strength: Double) throws {
        let extractor = try ImageExtractor(modelFolder: Self.model, device: .cpu)
        let pictures = try (1...3).map { number in
            try RGBImage(
                width: 40, height: 24,
                pixels: (0..<(3 * 40 * 24)).map { UInt8(truncatingIfNeeded: $0 * (number + 4)) })
        }
        let (prompts, seeds) = (["a cat", "a red circle", ""], [1, 2, 1] as [UInt64?])
        let options = DenoisingOptions(strength: strength, numInferenceSteps: 5)
        let batch = try extractor.latents(
            of: pictures, prompts: prompts, options: options, seeds: seeds)
        #expect(batch.shape == [3, 4, 6, 10])
        let together = try batch.elements(as: Float.self)
        for index in pictures.indices {
            let single = try extractor.latents(
                of: pictures[index], prompt: prompts[index], options: options, seed: seeds[index]
            ).values()
            let differences = zip(single, together[(index * 240)...]).map { abs($0 - $1) }
            #expect(try #require(differences.max()) < 1e-4)
        }
        #expect(throws: PipelineError.self) {
            try extractor.latents(of: pictures, prompts: prompts, seeds: [1])
        }
    }

    @Test func progressCanStopTheRun() throws {
        struct Stop: Error {}
        let extractor = try ImageExtractor(modelFolder: Self.model, device: .cpu)
        #expect(throws: Stop.self) {
            try extractor.latents(
                of: RGBImage(contentsOf: picture),
                options: DenoisingOptions(strength: 1, numInferenceSteps: 50),
                progress: { _, _ in throw Stop() })
        }
    }

    @Test func whatIsProbablyNotMeantIsWarnedOf() throws {
        nonisolated(unsafe) var warnings: [String] = []
        let extractor = try ImageExtractor(
            modelFolder: Self.model, device: .cpu, warn: { warnings.append($0) })
        let image = try RGBImage(contentsOf: picture)
        _ = try extractor.latents(
            of: image, options: DenoisingOptions(strength: 0.01, numInferenceSteps: 4), seed: 0)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("reaches no step") == true)
        _ = try extractor.latents(
            of: image, prompt: String(repeating: "cat ", count: 200),
            options: DenoisingOptions(
                strength: 1, numInferenceSteps: 2,
                negativePrompt: String(repeating: "dog ", count: 200)),
            seed: 0)
        #expect(warnings.filter { $0.contains("cut off") }.count == 2)
    }

    @Test func badArgumentsAreNamed() throws {
        let extractor = try ImageExtractor(modelFolder: Self.model, device: .cpu)
        let image = try RGBImage(contentsOf: picture)
        for (options, name) in [
            (DenoisingOptions(strength: 1.5), "strength"),
            (DenoisingOptions(strength: .nan), "strength"),
            (DenoisingOptions(strength: -0.1), "strength"),
            (DenoisingOptions(numInferenceSteps: 0), "num_inference_steps"),
            (DenoisingOptions(strength: 1, numInferenceSteps: 1001), "num_inference_steps"),
            (DenoisingOptions(guidanceScale: .infinity), "guidance_scale"),
        ] {
            let error = #expect(throws: (any Error).self) {
                try extractor.latents(of: image, options: options)
            }
            #expect("\(try #require(error))".contains(name))
        }
        #expect(throws: (any Error).self) {
            try extractImages(
                [picture], prompts: ["a", "b"], hiddenFolder: folder.file("h"),
                modelFolder: Self.model)
        }
        #expect(throws: (any Error).self) {
            try extractImages([picture], hiddenFolder: folder.file("h"), modelFolder: folder.path)
        }
        #expect(throws: (any Error).self) {
            try extractImages(
                [folder.file("none.png")], hiddenFolder: folder.file("h"), modelFolder: Self.model,
                device: .cpu)
        }
    }
}
