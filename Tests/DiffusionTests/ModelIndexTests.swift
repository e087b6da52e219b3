import Foundation
import TestSupport
import Testing

@testable import Diffusion

/// What a model folder says it is made of.
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
}
