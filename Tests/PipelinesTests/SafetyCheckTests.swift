import Diffusion
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Pipelines

/// Preparing and checking pictures against transformers' `CLIPImageProcessor`, with Pillow, and
/// `run_safety_checker` of diffusers' pipeline.
@Suite struct SafetyCheckTests {
    private struct Source: Decodable {
        let name: String
        let width: Int
        let height: Int

        func picture(in folder: TemporaryFolder) throws -> RGBImage {
            try RGBImage(width: width, height: height, pixels: folder.read(name))
        }
    }

    private struct Prepared: Decodable {
        let settings: String
        let source: Source
        let pixels: String
        let shape: [Int]
    }

    @Test func picturesArePreparedAsTransformersDoes() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Prepared] = try PythonReference("safety_reference.py").run(
            "prepare", folder.path)
        #expect(answers.count == 9 * 12)
        for answer in answers {
            let configuration = try CLIPImageProcessorConfiguration(
                path: folder.file(answer.settings))
            let picture = try answer.source.picture(in: folder)
            let pixels = try Tensor(picture, prepared: configuration, in: library)
            let expected = try folder.read(answer.pixels).withUnsafeBytes {
                Array($0.bindMemory(to: Float.self))
            }
            #expect(pixels.shape == answer.shape)
            let isEqual = try pixels.elements(as: Float.self) == expected
            #expect(isEqual, "\(answer.settings) \(answer.source.name)")
        }
    }

    private struct Checked: Decodable {
        let sources: [Source]
        let flagged: [Bool]
    }

    @Test func picturesAreFlaggedAsDiffusersDoes() throws {
        let folder = try TemporaryFolder()
        let answer: Checked = try PythonReference("safety_reference.py").run("check", folder.path)
        var pictures = try answer.sources.map { try $0.picture(in: folder) }
        let originals = pictures

        let components = try StableDiffusionComponents(folder: folder.path, device: .cpu)
        let check = try #require(try components.safetyCheck)
        #expect(try check.flagged(pictures) == answer.flagged)
        #expect(try check.flagged([]) == [])

        try SafetyCheck.blackOut(&pictures, where: answer.flagged)
        for (index, isFlagged) in answer.flagged.enumerated() {
            #expect(pictures[index].size == originals[index].size)
            #expect(pictures[index].pixels.allSatisfy { $0 == 0 } == isFlagged)
            #expect(isFlagged || pictures[index] == originals[index])
        }
    }

    @Test func picturesTooElongatedAreRefused() throws {
        let line = try RGBImage(
            width: 10_000_000, height: 1, pixels: Array(repeating: 9, count: 30_000_000))
        #expect(throws: ImagingError.self) {
            try Tensor(line, prepared: CLIPImageProcessorConfiguration(), in: LibTorch.shared())
        }
    }

    @Test func modelsWithoutCheckerHaveNoCheck() throws {
        let folder = try TemporaryFolder()
        let components = try StableDiffusionComponents(folder: folder.path, device: .cpu)
        let check = try components.safetyCheck
        #expect(check == nil)
    }

    @Test func indexAndFolderTellWhetherPicturesAreChecked() throws {
        let folder = try TemporaryFolder()
        func write(_ text: String) throws -> String {
            try folder.write(Array(text.utf8), to: "model_index.json")
        }
        func isChecked() throws -> Bool {
            try StableDiffusionComponents.hasSafetyChecker(ComponentFolders(model: folder.path))
        }
        let index = [
            "named": #"{"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}"#,
            "declined": #"{"safety_checker": [null, null]}"#,
            "unmentioned": "{}",
        ]
        for text in index.values {
            _ = try write(text)
            #expect(try !isChecked())
        }
        try FileManager.default.createDirectory(
            atPath: folder.file("safety_checker"), withIntermediateDirectories: false)
        try folder.write(Array("{}".utf8), to: "safety_checker/config.json")
        for (name, text) in index {
            _ = try write(text)
            #expect(try isChecked() == (name == "named"))
        }
        let path = try write("[")
        #expect(throws: ConfigurationError.self) { try isChecked() }
        try FileManager.default.removeItem(atPath: path)
        #expect(try isChecked())
    }
}
