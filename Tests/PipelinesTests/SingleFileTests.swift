import Checkpoints
import Diffusion
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// Models in single files in the original layout, against the same models as folders. That the files
/// are in that layout is judged by diffusers' own loader.
@Suite struct SingleFileTests {
    private static var script: PythonReference { PythonReference("single_files.py") }

    private static var tokenizer: String { StableDiffusionPipelineTests.model + "/tokenizer" }

    private struct Small: Decodable {
        let folder: String
        let file: String
        let version: Int
    }

    /// Removed when the process ends: nothing else outlives all tests.
    private static let scratch: Result<TemporaryFolder, any Error> = Result {
        let folder = try TemporaryFolder()
        atexit {
            if let folder = try? scratch.get() {
                try? FileManager.default.removeItem(atPath: folder.path)
            }
        }
        return folder
    }

    /// Made once for all tests.
    private static let made = Result { () -> [Small] in
        try script.run("small", scratch.get().path)
    }

    private func bytes(_ tensor: Tensor) throws -> Data {
        try tensor.contiguous().withUnsafeBytes { Data($0) }
    }

    // MARK: - Small models

    @Test func configurationsAreThoseOfTheFolder() throws {
        let models = try Self.made.get()
        #expect(models.count == 8)
        for model in models {
            let folder = try StableDiffusionComponents(folder: model.folder, device: .cpu)
            let file = try StableDiffusionComponents(checkpoint: model.file, device: .cpu)
            try file.autoencoder.load()
            #expect(
                try file.autoencoder.configuration.ofTensors
                    == folder.autoencoder.configuration.ofTensors)
            #expect(
                try file.textEncoder.configuration.ofTensors
                    == folder.textEncoder.configuration.ofTensors)
            #expect(try file.unet.configuration == folder.unet.configuration)
            let scheduler = try Schedulers.scheduler(file.schedulerSettings).settings
            let expected = try Schedulers.scheduler(folder.schedulerSettings).settings
            #expect(scheduler.className == expected.className)
            // Settings keep what other schedulers know, so that those can be made from them.
            for (key, value) in scheduler.values
            where key != "clip_sample" && key != "skip_prk_steps" {
                #expect(value == expected.values[key], "\(key)")
            }
        }
    }

    @Test func weightsAndOutputsAreThoseOfTheFolder() throws {
        let library = try LibTorch.shared()
        let noise = NoiseGenerator(seed: 1)
        let pixels = try noise.normal([1, 3, 32, 48], in: library)
        let latents = try noise.normal([1, 4, 8, 16], in: library)
        let tokens = [[540, 3, 7, 541]]
        for model in try Self.made.get() {
            let checkpoint = try OriginalCheckpoint(path: model.file, in: library)
            func same(
                _ part: OriginalCheckpoint.Part, _ name: String,
                _ outputs: (Weights, _ configuration: String) throws -> [Tensor]
            ) throws {
                let folder = "\(model.folder)/\(name)"
                let file = CopiedSource(base: try checkpoint.source(of: part))
                let expected = CopiedSource(base: try ComponentFolder.open(folder, in: library))
                let prefix = "text_model."
                #expect(
                    file.names.sorted()
                        == expected.names.map {
                            $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0
                        }.sorted())
                let path = "\(folder)/config.json"
                let results = try [file, expected].map {
                    try outputs(Weights($0), path).map(bytes)
                }
                let isEqual = results[0] == results[1]
                #expect(isEqual, "\(part) of \(model.file)")
            }
            try same(.autoencoder, "vae") {
                let model = try AutoencoderKL(
                    $0, configuration: AutoencoderKLConfiguration(path: $1))
                return [try model.encode(pixels).mean, try model.decode(latents)]
            }
            try same(.textEncoder, "text_encoder") {
                let model = try CLIPTextModel(
                    $0, configuration: CLIPTextConfiguration(path: $1), in: library)
                return [try model(tokens)]
            }
            try same(.unet, "unet") {
                let configuration = try UNet2DConditionConfiguration(path: $1)
                let model = try UNet2DConditionModel($0, configuration: configuration, in: library)
                let context = try NoiseGenerator(seed: 2).normal([1, 4, 64], in: library)
                return [try model(latents, timestep: 7, context: context)]
            }
        }
    }

    /// Tensors in memory of their own. Those of a file are views of it, and from other addresses the
    /// processor may add up in another order: then the last bits of results differ.
    private struct CopiedSource: TensorSource {
        let base: any TensorSource

        var location: String { base.location }
        var names: [String] { base.names }
        func contains(_ name: String) -> Bool { base.contains(name) }
        func spec(of name: String) throws -> TensorSpec { try base.spec(of: name) }
        func tensor(named name: String) throws -> Tensor { try base.tensor(named: name).cloned() }
    }

    /// With weights of 16 bits, which are converted, and so not used at their addresses in the file.
    @Test func wholeRunsAreThoseOfTheFolder() throws {
        for model in try Self.made.get() where model.folder.hasSuffix("half") {
            var request = GenerationRequest(prompt: "a red circle")
            request.height = 32
            request.width = 64
            request.numInferenceSteps = 2
            let fromFolder = try StableDiffusionPipeline(modelFolder: model.folder, device: .cpu)
            var warnings: [String] = []
            let fromFile = try StableDiffusionPipeline(
                StableDiffusionComponents(
                    checkpoint: model.file, tokenizer: Self.tokenizer, device: .cpu)
            ) { warnings.append($0) }
            let made = try [fromFolder, fromFile].map { try $0.pictures(for: request, seed: 5) }
            #expect(try bytes(made[0].latents) == bytes(made[1].latents))
            #expect(made[0].pictures == made[1].pictures)
            // What version 2 predicts is a guess.
            #expect(warnings.count == (model.version == 2 ? 1 : 0))
            #expect(warnings.allSatisfy { $0.contains(model.file) && $0.contains("epsilon") })
        }
    }

    @Test func thePathOfAModelMayBeAFile() throws {
        let model = try #require(
            Self.made.get().first { $0.folder.hasSuffix("half") })
        let extractor = try ImageExtractor(modelFolder: model.file, device: .cpu)
        let expected = try ImageExtractor(modelFolder: model.folder, device: .cpu)
        let picture = try RGBImage(
            width: 16, height: 24, pixels: (0..<16 * 24 * 3).map { UInt8($0 % 251) })
        let latents = try [extractor, expected].map { try $0.latents(of: picture, seed: 3) }
        #expect(try bytes(latents[0].tensor) == bytes(latents[1].tensor))

        // At a strength above 0 there is a prompt to be read.
        let error = try #require(throws: PipelineError.self) {
            try extractor.latents(
                of: picture, options: DenoisingOptions(strength: 0.5, numInferenceSteps: 4))
        }
        #expect("\(error)".hasPrefix("tokenizer: "))
        #expect("\(error)".contains("clip-vit-large-patch14"))
    }

    @Test func filesAndFoldersAreInspected() throws {
        for model in try Self.made.get() {
            for path in [model.file, model.folder] {
                let inspection = try ModelInspection(model: path)
                #expect(inspection.parts.flatMap(\.problems) == [])
                let unet = try #require(inspection.parts.first { $0.name == "unet" })
                #expect(unet.tensors.contains { $0.name == "conv_in.weight" })
                #expect(unet.dtypes == [model.folder.hasSuffix("half") ? .float16 : .float32])
                #expect(
                    inspection.scheduler == (model.version == 1 ? "PNDM" : "DDIM") + "Scheduler")
            }
        }
        let part = StableDiffusionPipelineTests.model + "/vae/diffusion_pytorch_model.safetensors"
        #expect(throws: CheckpointError.self) { try ModelInspection(model: part) }
    }

    @Test func partsMayComeFromFilesAndFolders() throws {
        let models = try Self.made.get()
        let first = try #require(models.first { $0.version == 1 })
        let second = try #require(models.first { $0.version == 2 })
        var folders = ComponentFolders(model: first.folder)
        folders.autoencoder = second.file
        let mixed = try StableDiffusionComponents(folders: folders, device: .cpu)
        let whole = try StableDiffusionComponents(folder: second.folder, device: .cpu)
        #expect(
            try mixed.autoencoder.configuration.ofTensors
                == whole.autoencoder.configuration.ofTensors)
        #expect(try mixed.schedulerSettings.className == "PNDMScheduler")
        #expect(try mixed.safetyCheck == nil)
    }

    @Test func whatIsPredictedCanBeGiven() throws {
        let model = try #require(Self.made.get().first { $0.version == 2 })
        let components = try StableDiffusionComponents(
            checkpoint: model.file, predictionType: .epsilon, device: .cpu)
        #expect(try components.schedulerSettings.values["prediction_type"] == .text("epsilon"))
        #expect(try components.schedulerSettings.warning == nil)
        #expect(try components.unet.configuration.sampleWidth == 64)
    }

    @Test func absentFilesAreNamed() throws {
        let path = try Self.scratch.get().file("absent.safetensors")
        let components = try StableDiffusionComponents(folder: path, device: .cpu)
        let error = try #require(throws: CheckpointError.self) { try components.unet }
        #expect("\(error)".hasPrefix("Cannot open \(path)"))
    }

    // MARK: - Names and shapes of full size

    private struct Full: Decodable {
        let file: String
        let folder: String
        let version: Int
        let shapes: [String: [String: [Int]]]
    }

    @Test func fullModelsHaveTheNamesAndShapesOfDiffusers() throws {
        let library = try LibTorch.shared()
        let scratch = try TemporaryFolder()
        let models: [Full] = try Self.script.run("full", scratch.path)
        for model in models {
            let checkpoint = try OriginalCheckpoint(path: model.file, in: library)
            func check(_ part: OriginalCheckpoint.Part, _ name: String) throws -> any TensorSource {
                let source = try checkpoint.source(of: part)
                let expected = try #require(model.shapes[name])
                #expect(Set(source.names) == Set(expected.keys))
                #expect(source.names.count == expected.count)
                for (name, shape) in expected {
                    #expect(try source.spec(of: name).shape == shape, "\(name)")
                }
                return source
            }
            #expect(
                try AutoencoderKLConfiguration(inferredFrom: check(.autoencoder, "vae")).ofTensors
                    == AutoencoderKLConfiguration(path: "\(model.folder)/vae/config.json").ofTensors
            )
            #expect(
                try CLIPTextConfiguration(
                    inferredFrom: check(.textEncoder, "text_encoder"),
                    hiddenAct: model.version == 1 ? "quick_gelu" : "gelu"
                ).ofTensors
                    == CLIPTextConfiguration(path: "\(model.folder)/text_encoder/config.json")
                    .ofTensors)
            var unet = try UNet2DConditionConfiguration(inferredFrom: check(.unet, "unet"))
            (unet.sampleHeight, unet.sampleWidth) = model.version == 1 ? (64, 64) : (96, 96)
            #expect(
                try unet == UNet2DConditionConfiguration(path: "\(model.folder)/unet/config.json"))
            #expect(try checkpoint.isVersion2() == (model.version == 2))
        }
    }

    @Test func predictionsAreGuessedAsDiffusersDoes() throws {
        let scratch = try TemporaryFolder()
        let answers: [String: String] = try Self.script.run("predictions", scratch.path)
        #expect(Set(answers.values) == ["epsilon", "v_prediction"])
        for (path, prediction) in answers {
            let checkpoint = try OriginalCheckpoint(path: path, in: LibTorch.shared())
            let settings = try SchedulerSettings(inferredFrom: checkpoint)
            #expect(settings.values["prediction_type"] == .text(prediction), "\(path)")
            #expect((settings.warning == nil) == (prediction == "epsilon"))
        }
    }

    /// Metadata as ModelSpec describes it; the two versions are told by their text encoders.
    @Test(arguments: [
        ("cond_stage_model.model.ln_final.bias", "epsilon", "epsilon", "DDIMScheduler"),
        ("cond_stage_model.model.ln_final.bias", "v", "v_prediction", "DDIMScheduler"),
        (
            "cond_stage_model.transformer.text_model.final_layer_norm.bias", "v_prediction",
            "v_prediction", "PNDMScheduler"
        ),
        (
            "cond_stage_model.transformer.text_model.final_layer_norm.bias", "other", "epsilon",
            "PNDMScheduler"
        ),
    ])
    func aFileMaySayWhatItPredicts(
        name: String, stated: String, prediction: String, scheduler: String
    ) throws {
        let header = """
            {"__metadata__": {"modelspec.prediction_type": "\(stated)"}, \
            "\(name)": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}
            """
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        let folder = try TemporaryFolder()
        let path = try folder.write(length + header.utf8, to: "stated.safetensors")
        let settings = try SchedulerSettings(
            inferredFrom: OriginalCheckpoint(path: path, in: LibTorch.shared()))
        #expect(settings.values["prediction_type"] == .text(prediction))
        #expect(settings.className == scheduler)
        #expect(settings.warning == nil)
    }
}

// Without what neither tensors tell nor the model needs.

extension AutoencoderKLConfiguration {
    fileprivate var ofTensors: Self {
        var configuration = self
        configuration.sampleSize = .all(32)
        configuration.forceUpcast = true
        return configuration
    }
}

extension CLIPTextConfiguration {
    fileprivate var ofTensors: Self {
        var configuration = self
        (configuration.bosTokenId, configuration.eosTokenId) = (nil, nil)
        (configuration.padTokenId, configuration.projectionDim) = (nil, nil)
        return configuration
    }
}
