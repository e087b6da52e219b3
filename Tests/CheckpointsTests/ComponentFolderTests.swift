import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct ComponentFolderTests {
    let library: LibTorch
    let scratch: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        scratch = try TemporaryFolder()
    }

    private func place(_ names: [String]) throws {
        let fixtures = try Reference.fixtures.folder
        for name in names {
            if name.hasSuffix(".json") {
                try scratch.write(#"{"weight_map":{"a":"small.bin"}}"#.utf8, to: name)
            } else {
                let kind = name.hasSuffix(".bin") ? "small.bin" : "small.safetensors"
                try FileManager.default.copyItem(
                    atPath: fixtures.file(kind), toPath: scratch.file(name))
            }
        }
    }

    /// The first of each list is the one to be taken.
    @Test(arguments: [
        ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"],
        ["diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.safetensors"],
        ["diffusion_pytorch_model.bin", "diffusion_pytorch_model.fp16.safetensors"],
        ["diffusion_pytorch_model.bin.index.json", "diffusion_pytorch_model.non_ema.safetensors"],
        ["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.fp16.bin"],
        [
            "diffusion_pytorch_model.safetensors.index.fp16.json",
            "diffusion_pytorch_model.fp16.bin",
        ],
        ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"],
        ["model.safetensors.index.json", "pytorch_model.bin"],
        ["pytorch_model.bin", "model.fp16.safetensors"],
        ["model.fp16.safetensors", "flax_model.msgpack"],
    ])
    func takesTheFileThatTheReferencesTake(names: [String]) throws {
        try place(names + ["config.json", "small.bin"])
        let source = try ComponentFolder.open(scratch.path, in: library)
        #expect(source.location == scratch.file(try #require(names.first)))
        #expect(try source.tensor(named: "a").shape == [2])
    }

    @Test func aVariantThatIsAskedForIsTakenAlone() throws {
        try place(["model.safetensors", "model.fp16.safetensors"])
        let source = try ComponentFolder.open(scratch.path, variant: "fp16", in: library)
        #expect(source.location == scratch.file("model.fp16.safetensors"))
        #expect(throws: CheckpointError.self) {
            try ComponentFolder.open(scratch.path, variant: "bf16", in: library)
        }
    }

    @Test func aFolderWithoutWeightsTellsWhatWasLookedForAndWhatIsThere() throws {
        try place(["config.json", "flax_model.msgpack"])
        let error = try #require(throws: CheckpointError.self) {
            try ComponentFolder.open(scratch.path, in: library)
        }
        for words in [
            scratch.path, "diffusion_pytorch_model.safetensors", "pytorch_model.bin",
            "\"config.json\", \"flax_model.msgpack\"",
        ] {
            #expect("\(error)".contains(words))
        }
        #expect(throws: CheckpointError.self) {
            try ComponentFolder.open(scratch.file("missing"), in: library)
        }
    }
}
