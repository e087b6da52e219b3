import Foundation
import GPIDiffusion
import TestSupport
import Testing

/// The code of the articles in `GPIDiffusion.docc`, run on the checkpoint that ships with the
/// repository. The lines are the same there and here; `articlesHoldTheCodeOfThisFile` sees to it.
@Suite struct DocumentationTests {
    private let results: TemporaryFolder
    /// Names that the articles use.
    private let model = Self.package.appendingPathComponent("python/demo_checkpoint").path
    private let folder: String
    private let photos: [String]

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    init() throws {
        results = try TemporaryFolder()
        folder = results.path
        photos = ["photo_0.png", "photo_1.png"].map(results.file)
        for (number, path) in photos.enumerated() {
            let pixels = (0..<3 * 70 * 50).map { UInt8(truncatingIfNeeded: $0 * (7 + number)) }
            try RGBImage(width: 70, height: 50, pixels: pixels).writePNG(to: path)
        }
    }

    // MARK: - ExtractingLatents.md

    @Test func filesToFiles() throws {
        try extractImages(
            photos, prompts: ["a portrait", "a landscape"], hiddenFolder: "\(folder)/hidden",
            pictureFolder: "\(folder)/pictures", modelFolder: model, seed: 42)

        let files = try ["hidden", "pictures"].map {
            try FileManager.default.contentsOfDirectory(atPath: results.file($0)).sorted()
        }
        #expect(files == [["hidden_0.pt", "hidden_1.pt"], ["gen_0.png", "gen_1.png"]])
    }

    @Test func picturesToLatents() throws {
        let extractor = try ImageExtractor(modelFolder: model)
        let photo = try RGBImage(contentsOf: photos[0])
        let latents = try extractor.latents(of: photo, seed: 42)
        print(latents.shape, try latents.values().count)
        try latents.write(to: "\(folder)/hidden_0.pt")
        try extractor.picture(from: latents).writePNG(to: "\(folder)/gen_0.png")

        #expect(latents.shape == [1, 4, 14, 18])

        let options = DenoisingOptions(
            strength: 0.6, numInferenceSteps: 10, guidanceScale: 7.5, negativePrompt: "blurry")
        let changed = try extractor.latents(
            of: photo, prompt: "a watercolour", options: options, seed: 42
        ) { step, count in
            print("step \(step + 1) of \(count)")
            if Task.isCancelled { throw CancellationError() }
        }

        #expect(changed.shape == latents.shape)
        #expect(try changed.values() != latents.values())

        let pixels = try extractor.pixels(of: photo)
        let decoded = try extractor.decoded(latents.tensor)

        #expect(pixels.shape == [1, 3, 56, 72])
        #expect(decoded.shape == pixels.shape)
    }

    // MARK: - PicturesFromNoise.md

    @Test func trainingAndPicturesFromNoise() throws {
        var settings = TrainingSettings()
        settings.size = [16, 16]
        settings.steps = 4
        settings.batchSize = 2
        let data = try TrainingData(folder: folder, settings: settings)
        let objective = try UnconditionalObjective(
            configuration: UNet2DConfiguration(widths: [8, 16], layers: 1, width: 16, height: 16),
            scheduler: DDPMConfiguration(), seed: settings.seed, in: .shared())
        let run = try TrainingRun(
            folder: "\(folder)/run", objective: objective, data: data, settings: settings)
        try run.run { print($0) }

        let pipeline = try DDPMPipeline(modelFolder: run.folder.model)
        var states = ReverseSteps(count: 8)
        let made = try pipeline.pictures(
            for: SamplingRequest(numInferenceSteps: 20), seed: 42, onStep: { try states.add($0) })
        try made.pictures[0].writePNG(to: "\(folder)/picture.png")

        #expect(made.pictures.map(\.width) == [16])
        #expect(states.states.count == 8)

        try states.strip(ofPicture: 0, cell: 96).image.writePNG(to: "\(folder)/reverse.png")
        let noised = try ForwardSteps.strip(
            of: RGBImage(contentsOf: photos[0]), at: [0, 200, 400, 600, 800, 999],
            scheduler: pipeline.scheduler, seed: 42, cell: 96, in: .shared())
        try noised.image.writePNG(to: "\(folder)/forward.png")

        #expect(noised.image.width > 7 * 96)
    }

    // MARK: - GeneratingPictures.md

    @Test func textToPictures() throws {
        let pipeline = try StableDiffusionPipeline(modelFolder: model)
        var request = GenerationRequest(prompt: "a lighthouse in a storm")
        request.negativePrompts = ["blurry"]
        request.numInferenceSteps = 20
        request.height = 64
        request.width = 96
        let made = try pipeline.pictures(for: request, seed: 42)
        try made.pictures[0].writePNG(to: "\(folder)/lighthouse.png")

        #expect(made.pictures.map(\.size) == [PixelSize(width: 96, height: 64)])
        #expect(made.flagged == nil)

        pipeline.scheduler = try DPMSolverMultistepScheduler(pipeline.scheduler.settings)

        var loop = try pipeline.loop(for: request, noise: NoiseGenerator(seed: 42))
        while let step = try loop.next() {
            print("step \(step.number + 1) of \(step.count)")
            guard step.number % 10 == 9, let clean = step.clean else { continue }
            let preview = try pipeline.pictures(from: clean)
            try preview[0].writePNG(to: "\(folder)/preview_\(step.number + 1).png")
        }
        var pictures = try pipeline.pictures(from: loop.latents)

        #expect(try results.contents().filter { $0.hasPrefix("preview") }.count == 2)
        #expect(pictures.count == 1)

        if let check = try pipeline.components.safetyCheck {
            try SafetyCheck.blackOut(&pictures, where: check.flagged(pictures))
        }
    }

    @Test func partsByHand() throws {
        let parts = try StableDiffusionComponents(folder: model)
        let encoder = PromptEncoder(parts) { warning in print(warning) }
        let context = try encoder.hiddenStates(of: "a red circle", argument: "prompt")

        var scheduler = try EulerDiscreteScheduler(parts.schedulerSettings)
        try scheduler.setTimesteps(20)
        let noise = try NoiseGenerator(seed: 42).normal([1, 4, 16, 24], in: parts.library)
            .moved(to: parts.device)
        var sample = try scheduler.initialNoiseSigma * noise
        for index in scheduler.timesteps.indices {
            let input = try scheduler.modelInput(sample, at: index)
            let prediction = try parts.unet(
                input, timestep: scheduler.timesteps[index], context: context)
            sample = try scheduler.step(prediction, at: index, sample: sample).previous
        }

        let pixels = try parts.autoencoder.decode(scaled: sample)
        let pictures = try RGBImage.pictures(decoded: pixels)

        // The pipeline's own way, without guidance, is the same.
        let pipeline = try StableDiffusionPipeline(parts)
        pipeline.scheduler = try EulerDiscreteScheduler(parts.schedulerSettings)
        var request = GenerationRequest(prompt: "a red circle")
        (request.height, request.width) = (64, 96)
        (request.numInferenceSteps, request.guidanceScale) = (20, 1)
        let made = try pipeline.pictures(for: request, seed: 42)
        let difference = try Self.largestDifference(sample, made.latents)
        #expect(difference < 1e-5)
        #expect(pictures.count == 1)
    }

    // MARK: - SimilarPictures.md

    @Test func similarPictures() throws {
        let diffusion = try ImageDiffusionModel(modelFolder: model)
        let photo = try ImageExtractor.prepared(RGBImage(contentsOf: photos[0]))
        let similar = try diffusion.similarPictures(
            to: photo, prompt: "a watercolour", numInferenceSteps: 20, startStep: 12, seed: 42)
        try similar[0].writePNG(to: "\(folder)/similar.png")

        let encoded = try diffusion.encodedLatents(of: [photo])
        let embeddings = try diffusion.promptEmbeddings(for: ["a watercolour"])
        let latents = try diffusion.similarLatents(
            to: encoded, embeddings: embeddings, numInferenceSteps: 20, startStep: 12,
            noise: NoiseGenerator(seed: 42))
        let pictures = try diffusion.pictures(from: diffusion.decodedPixels(of: latents))

        #expect(pictures == similar)
        #expect(pictures[0].size == photo.size)

        diffusion.similarityScheduler = try EulerDiscreteScheduler(
            diffusion.similarityScheduler.settings)

        let other = try diffusion.similarPictures(
            to: photo, prompt: "a watercolour", numInferenceSteps: 20, startStep: 12, seed: 42)
        #expect(other[0].size == photo.size)
    }

    // MARK: - WritingAScheduler.md

    /// The model, said to predict the noise: what `PlainEulerScheduler` is for.
    private func modelOfNoise() throws -> String {
        let copy = results.file("model-of-noise")
        try FileManager.default.copyItem(atPath: model, toPath: copy)
        let path = URL(fileURLWithPath: "\(copy)/scheduler/scheduler_config.json")
        let text = try String(contentsOf: path, encoding: .utf8)
            .replacingOccurrences(of: "v_prediction", with: "epsilon")
        try Data(text.utf8).write(to: path)
        return copy
    }

    @Test func schedulerOfOnesOwn() throws {
        let model = try modelOfNoise()

        let pipeline = try StableDiffusionPipeline(modelFolder: model)
        pipeline.scheduler = try PlainEulerScheduler(pipeline.scheduler.settings)
        var request = GenerationRequest(prompt: "a red circle")
        request.numInferenceSteps = 20
        (request.height, request.width) = (64, 96)
        let made = try pipeline.pictures(for: request, seed: 42)

        let diffusion = try ImageDiffusionModel(modelFolder: model)
        diffusion.similarityScheduler = try PlainEulerScheduler(
            diffusion.similarityScheduler.settings)
        let photo = try ImageExtractor.prepared(RGBImage(contentsOf: photos[0]))
        let similar = try diffusion.similarPictures(
            to: photo, prompt: "a watercolour", numInferenceSteps: 20, startStep: 12, seed: 42)

        // DDIM without noise is the same method, if it ends at x_0 too.
        var settings = pipeline.scheduler.settings
        settings.values["set_alpha_to_one"] = .bool(true)
        pipeline.scheduler = try DDIMScheduler(settings)
        diffusion.similarityScheduler = pipeline.scheduler
        let reference = try pipeline.pictures(for: request, seed: 42)
        let difference = try Self.largestDifference(made.latents, reference.latents)
        #expect(difference < 1e-4)
        let referenceSimilar = try diffusion.similarPictures(
            to: photo, prompt: "a watercolour", numInferenceSteps: 20, startStep: 12, seed: 42)
        let levels = zip(similar[0].pixels, referenceSimilar[0].pixels).map { Int($0) - Int($1) }
        #expect(levels.allSatisfy { abs($0) <= 1 })

        let velocity = SchedulerSettings(["prediction_type": .text("v_prediction")])
        #expect(throws: SchedulerError.self) { _ = try PlainEulerScheduler(velocity) }
    }

    // MARK: - UsingModels.md

    @Test func modelsFromAnywhere() throws {
        let found = try ModelFolder.find(model) { progress in
            guard case .receiving(let transfer) = progress else { return }
            print("\(transfer.file): \(transfer.receivedBytes) of \(transfer.totalBytes)")
        }
        let pipeline = try StableDiffusionPipeline(modelFolder: found) { print($0) }

        #expect(found == model)
        #expect(pipeline.components.folders.unet == "\(model)/unet")

        let vaeAlone = try ModelFolder.find(model, parts: .autoencoder)
        let extractor = try ImageExtractor(modelFolder: vaeAlone)

        #expect(try extractor.device == .best(in: LibTorch.shared()))

        let small = try StableDiffusionComponents(folder: model, dtype: .bfloat16, device: .cpu)
        small.vaeTiling = true

        #expect(try small.unet.configuration.inChannels == 4)

        let inspection = try ModelInspection(model: model)
        for part in inspection.parts {
            print(part.name, part.parameterCount, part.byteCount, part.problems)
        }

        #expect(inspection.parts.count == 5)
        #expect(inspection.parts.allSatisfy { $0.problems.isEmpty })
    }

    @Test func singleFiles() throws {
        let file = try results.write([0], to: "model.safetensors")

        let components = try StableDiffusionComponents(
            checkpoint: file, tokenizer: "\(model)/tokenizer", predictionType: .epsilon)

        #expect(components.folders.tokenizer == "\(model)/tokenizer")
        #expect(try components.tokenizer.encode("a", paddedTo: 4).ids.count == 4)
        #expect(throws: (any Error).self) { try components.unet }
    }

    @Test func partsOfSeveralModels() throws {
        let otherModel = model

        let components = try StableDiffusionComponents(folder: model)
        let other = try StableDiffusionComponents(folder: otherModel)
        let mixed = try StableDiffusionComponents(
            autoencoderOf: other, tokenizerOf: components, textEncoderOf: components,
            unetOf: components)
        let pipeline = try StableDiffusionPipeline(mixed)

        #expect(try pipeline.components.autoencoder === other.autoencoder)
        #expect(try pipeline.components.unet === components.unet)
    }

    // MARK: - The articles themselves

    /// Every block of Swift stands in this file, whatever its indentation.
    // MARK: - RunningAStudy.md

    @Test func studies() throws {
        let (photographs, study, parts) = (folder, "\(folder)/study", "\(folder)/parts")
        var settings = StudySettings()
        settings.size = [64, 64]
        settings.prompt = ""
        settings.seed = 42
        let pictures = try PictureListing.pictures(under: photographs)
        let summary = try extractDataset(
            pictures, to: study, settings: settings, modelFolder: model, stacked: true
        ) { progress in
            print(progress)
        }
        print(summary)
        for failure in summary.failures { print(failure.reason) }

        #expect(summary.extracted == 2)
        #expect(summary.failures == [])

        for number in 1...2 {
            try extractDataset(
                pictures, to: parts, settings: settings, modelFolder: model,
                shard: Shard(number: number, of: 2))
        }
        let joined = try extractDataset(pictures, to: parts, settings: settings, modelFolder: model)
        print(joined.reused)

        #expect(joined.reused == 2)

        var sheet = StudySheet()
        sheet.count = 2
        try Study(folder: study, settings: settings, modelFolder: model)
            .sheet(sheet).writePNG(to: "\(study)/sheet.png")

        #expect(FileManager.default.fileExists(atPath: "\(study)/sheet.png"))
    }

    @Test func articlesHoldTheCodeOfThisFile() throws {
        func lines(_ text: Substring) -> [String] {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
        }
        let text = try String(contentsOfFile: #filePath, encoding: .utf8)
        let own = "\n\(lines(Substring(text)).joined(separator: "\n"))\n"
        let catalogue = Self.package.appendingPathComponent(
            "Sources/GPIDiffusion/GPIDiffusion.docc")
        var blockCount = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: catalogue.path)
        where name.hasSuffix(".md") {
            let article = try String(
                contentsOf: catalogue.appendingPathComponent(name), encoding: .utf8)
            // What stands after every other fence is code.
            for (number, part) in article.split(separator: "```").enumerated()
            where number % 2 == 1 && part.hasPrefix("swift\n") {
                let code = lines(part.dropFirst("swift\n".count)).joined(separator: "\n")
                #expect(own.contains("\n\(code)\n"), "\(name): \(code)")
                blockCount += 1
            }
        }
        #expect(blockCount > 15)
    }

    private static func largestDifference(_ a: Tensor, _ b: Tensor) throws -> Float {
        let pairs = try zip(a.elements(as: Float.self), b.elements(as: Float.self))
        return pairs.map { abs($0 - $1) }.max() ?? .infinity
    }
}

/// What the articles print is not for the output of tests.
private func print(_ items: Any...) {}

/// Euler's method for x̄ = x_t / √ᾱ_t, which changes by ε dσ (Song, Meng and Ermon, 2021, eq. 13).
struct PlainEulerScheduler: Scheduler {
    static let name = "PlainEulerScheduler"
    let initialNoiseSigma = 1.0

    /// Knows the noise of training and how timesteps are spaced.
    private var schedule: DDIMScheduler

    init(_ settings: SchedulerSettings) throws {
        schedule = try DDIMScheduler(settings)
        guard schedule.configuration.predictionType == .epsilon else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "follow a model that does not predict ε",
                instead: "Use DDIMScheduler.")
        }
    }

    var settings: SchedulerSettings {
        var settings = schedule.settings
        settings.className = Self.name
        return settings
    }

    var timesteps: [Double] { schedule.timesteps }

    mutating func setTimesteps(_ steps: Int) throws {
        try schedule.setTimesteps(steps)
    }

    func shares(at timestep: Double) throws -> NoiseShares {
        try schedule.shares(at: timestep)
    }

    mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        guard timesteps.indices.contains(index) else {
            throw SchedulerError.noTimestep(index: index, count: timesteps.count)
        }
        let now = try shares(at: timesteps[index])
        let isLast = index + 1 == timesteps.count
        let next =
            try isLast ? NoiseShares(signal: 1, noise: 0) : shares(at: timesteps[index + 1])

        let change = next.noise / next.signal - now.noise / now.signal
        let scaled = try sample / now.signal + change * prediction
        return SchedulerStep(
            previous: try next.signal * scaled,
            clean: try (sample - now.noise * prediction) / now.signal)
    }
}
