import Foundation
import ImageFiles
import Imaging
import TestSupport
import Testing

/// The program on the checkpoint that ships with the repository.
@Suite struct CommandLineTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func run(_ arguments: String...) throws -> CommandLine.Result {
        try CommandLine.run(arguments, in: folder)
    }

    private func generate(_ arguments: String...) throws -> CommandLine.Result {
        try CommandLine.run(["generate", "--model", CommandLine.model] + arguments, in: folder)
    }

    @Test func generatesWithSeedsThatMakeThePictureAgain() throws {
        let several = try generate(
            "a red circle", "--height", "64", "--width", "48", "--steps", "2", "--seed", "7",
            "--count", "2", "--negative-prompt", "blue", "--output", "made/circle.png",
            "--scheduler", "EulerAncestralDiscreteScheduler")
        #expect(several.status == 0, "\(several.errors)")
        #expect(
            several.output == "made/circle-1.png  seed 7\nmade/circle-2.png  seed 8\n")
        #expect(several.errors.contains("Picture 2 of 2: 2/2 steps"))
        let second = try RGBImage(contentsOf: folder.file("made/circle-2.png"))
        #expect((second.width, second.height) == (48, 64))

        let again = try generate(
            "a red circle", "--height", "64", "--width", "48", "--steps", "2", "--seed", "8",
            "--negative-prompt", "blue", "--scheduler", "EulerAncestralDiscreteScheduler")
        #expect(again.output == "picture.png  seed 8\n")
        #expect(try RGBImage(contentsOf: folder.file("picture.png")) == second)

        let text = try #require(
            String(data: Data(folder.read("picture.png")), encoding: .isoLatin1))
        #expect(
            text.contains("parameters\0a red circle\nNegative prompt: blue\nSteps: 2, Sampler: "))
        #expect(text.contains("Seed: 8, Size: 48x64"))
    }

    @Test func choosesAndShowsASeed() throws {
        let made = try generate("x", "--height", "32", "--width", "32", "--steps", "1")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains(/^picture\.png  seed [0-9]+\n$/))
    }

    @Test func makesSimilarPictures() throws {
        let pixels = (0..<(3 * 40 * 24)).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let picture = try RGBImage(width: 40, height: 24, pixels: pixels)
        try picture.writePNG(to: folder.file("photo.png"))
        func similar(startStep: String, _ output: String) throws -> RGBImage {
            let made = try run(
                "similar", folder.file("photo.png"), "--model", CommandLine.model, "--prompt",
                "a cat",
                "--steps", "4", "--start-step", startStep, "--seed", "1", "--output", output)
            #expect(made.status == 0, "\(made.errors)")
            return try RGBImage(contentsOf: folder.file(output))
        }
        let near = try similar(startStep: "3", "near.png")
        let far = try similar(startStep: "1", "far.png")
        #expect((near.width, near.height) == (40, 24))
        #expect(near != far)
    }

    @Test func inspects() throws {
        let whole = try run("inspect", CommandLine.model, "--tensors")
        #expect(whole.status == 0, "\(whole.errors)\(whole.output)")
        #expect(whole.output.contains("unet  UNet2DConditionModel"))
        #expect(whole.output.contains("DDIMScheduler"))
        #expect(whole.output.contains("conv_in.weight"))
    }

    @Test func inspectsWhatIsBroken() throws {
        let copy = folder.file("model")
        try FileManager.default.copyItem(atPath: CommandLine.model, toPath: copy)
        try FileManager.default.removeItem(
            atPath: "\(copy)/unet/diffusion_pytorch_model.safetensors")
        try folder.write(
            Array(#"{"_class_name": "FooScheduler"}"#.utf8),
            to: "model/scheduler/scheduler_config.json")
        try FileManager.default.copyItem(
            atPath: "\(copy)/vae/diffusion_pytorch_model.safetensors",
            toPath: "\(copy)/unet/diffusion_pytorch_model.safetensors")
        let broken = try run("inspect", copy, "--cache-folder", "/nowhere")
        #expect(broken.status == 1)
        #expect(broken.output.contains("! missing tensor conv_in.weight"))
        #expect(broken.output.contains("! unknown tensor decoder.conv_in.weight"))
        #expect(broken.output.contains(#"! scheduler: "FooScheduler" is not known."#))
    }

    @Test(arguments: [
        (["generate", "x"], "--model"),
        (["generate", "x", "--model", "/nowhere"], "/nowhere"),
        (["generate", "x", "--model", "a/b/c"], "a/b/c"),
        (["generate", "x", "--model", "m", "--steps", "0"], "--steps: 0"),
        (["generate", "x", "--model", "m", "--count", "0"], "--count: 0"),
        (["generate", "x", "--model", "m", "--height", "100"], "height: 100"),
        (["generate", "x", "--model", "m", "--scheduler", "Foo"], "EulerDiscreteScheduler"),
        (["generate", "x", "--model", "m", "--dtype", "int8"], "--dtype"),
        (["generate", "x", "--model", "m", "--output", "a.jpg"], "--output: a.jpg"),
        (["similar", "absent.png", "--model", "m"], "absent.png"),
        (["similar", "absent.png", "--model", "m", "--start-step", "50"], "--start-step: 50"),
        (["inspect", "/nowhere"], "/nowhere"),
    ])
    func badArgumentsAreNamed(_ arguments: [String], expected: String) throws {
        let result = try CommandLine.run(arguments, in: folder)
        #expect(result.status != 0)
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(result.output.isEmpty)
    }
}
