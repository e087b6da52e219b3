import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// What a model folder says it is made of, and whether its pictures are to be checked.
@Suite struct ModelIndexTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ text: String) throws -> String {
        try folder.write(Array(text.utf8), to: "model_index.json")
    }

    @Test func componentsAreToldFromSettings() throws {
        let index = try ModelIndex(
            path: write(
                """
                {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
                 "requires_safety_checker": true, "number": 3, "nothing": null, "list": [1, 2, 3],
                 "safety_checker": [null, null], "object": {"a": ["b", "c"]},
                 "unet": ["diffusers", "UNet2DConditionModel"]}
                """))
        #expect(index.pipelineClassName == "StableDiffusionPipeline")
        #expect(index.classNames == ["unet": "UNet2DConditionModel"])
        #expect(try ModelIndex(path: write(#"{"_class_name": 5}"#)).pipelineClassName == nil)
    }

    @Test func unreadableFilesAreNamed() throws {
        for text in ["", "[]", "3", "{"] {
            let path = try write(text)
            let error = #expect(throws: ConfigurationError.self) { try ModelIndex(path: path) }
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test func indexAndFolderTellWhetherPicturesAreChecked() throws {
        let components = StableDiffusionComponents(
            folder: folder.path, dtype: .float32, device: .cpu, in: try LibTorch.shared())
        let index = [
            "named": #"{"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}"#,
            "declined": #"{"safety_checker": [null, null]}"#,
            "unmentioned": "{}",
        ]
        for text in index.values {
            _ = try write(text)
            #expect(try !components.hasSafetyChecker)
        }
        try FileManager.default.createDirectory(
            atPath: folder.file("safety_checker"), withIntermediateDirectories: false)
        try folder.write(Array("{}".utf8), to: "safety_checker/config.json")
        for (name, text) in index {
            _ = try write(text)
            #expect(try components.hasSafetyChecker == (name == "named"))
        }
        let path = try write("[")
        #expect(throws: ConfigurationError.self) { try components.hasSafetyChecker }
        try FileManager.default.removeItem(atPath: path)
        #expect(try components.hasSafetyChecker)
    }
}
