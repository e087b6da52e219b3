import Checkpoints
import Diffusion
import Foundation
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// A whole model saved here, as diffusers and this package load it.
@Suite struct SavedModelTests {
    private struct Answer: Decodable {
        let latents: [String: PackedTensor]
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func latents(_ model: String) throws -> [Float] {
        let pipeline = try StableDiffusionPipeline(modelFolder: model, device: .cpu)
        var request = GenerationRequest(prompts: ["a red circle"])
        (request.height, request.width, request.numInferenceSteps) = (48, 64, 3)
        return try pipeline.pictures(for: request, seed: 5).latents.elements()
    }

    @Test func diffusersLoadsItAndMakesTheSamePictures() throws {
        let model = StableDiffusionPipelineTests.model
        let components = try StableDiffusionComponents(folder: model, device: .cpu)
        let saved = folder.file("saved")
        try components.saved().save(to: saved)
        let reference = PythonReference("reference.py")
        let before: Answer = try reference.run("pipeline", model)
        let after: Answer = try reference.run("pipeline", saved)
        #expect(before.latents.count == 6)
        for (name, expected) in before.latents {
            #expect(try #require(after.latents[name]).values == expected.values, "\(name)")
        }
        #expect(try latents(saved) == latents(model))
        // Saved a second time the bytes are the same.
        try StableDiffusionComponents(folder: saved, device: .cpu).saved()
            .save(to: folder.file("again"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: saved).sorted()
        #expect(
            try names
                == FileManager.default.subpathsOfDirectory(atPath: folder.file("again"))
                .sorted())
        for name in names where name.contains(".") {
            #expect(try folder.read("saved/\(name)") == folder.read("again/\(name)"), "\(name)")
        }
    }

    @Test func aTrainedPartTakesThePlaceOfTheOldOne() throws {
        let model = StableDiffusionPipelineTests.model
        let components = try StableDiffusionComponents(folder: model, device: .cpu)
        let parameters = Parameters()
        let unet = try UNet2DConditionModel(
            Weights(
                ComponentFolder.open("\(model)/unet", in: components.library),
                keepingIn: parameters),
            configuration: components.unet.configuration, in: components.library)
        for tensor in parameters.tensors.values { try tensor.overwrite(with: 0.5 * tensor) }
        var changed = try components.saved(dtype: .float16)
        changed.components["unet"] = .model(
            unet.configuration, parameters: parameters.tensors)
        try changed.save(to: folder.file("changed"))
        let source = try ComponentFolder.open(
            folder.file("changed/unet"), in: components.library)
        #expect(Set(source.names) == Set(parameters.tensors.keys))
        #expect(try source.dtypes() == [.float32])
        for (name, tensor) in parameters.tensors {
            #expect(
                try source.tensor(named: name).elements(as: Float.self)
                    == tensor.elements(as: Float.self))
        }
        let vae = try ComponentFolder.open(folder.file("changed/vae"), in: components.library)
        #expect(try vae.dtypes() == [.float16])
        #expect(try latents(folder.file("changed")) != latents(model))
    }
}
