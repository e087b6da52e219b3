import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

/// What a single file may hold. That whole models are read as diffusers reads them is tested with the
/// pipelines.
@Suite struct OriginalCheckpointTests {
    private let library: LibTorch
    private let scratch: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        scratch = try TemporaryFolder()
    }

    /// A file of zeros with these tensors.
    private func file(_ shapes: [String: [Int]], metadata: [String: String] = [:]) throws -> String
    {
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var end = 0
        for (name, shape) in shapes {
            let start = end
            end += 4 * shape.reduce(1, *)
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [start, end]]
        }
        let text = try JSONSerialization.data(withJSONObject: header)
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
        return try scratch.write(length + text + Data(count: end), to: "model.safetensors")
    }

    private func file(_ names: [String]) throws -> String {
        try file(Dictionary(uniqueKeysWithValues: names.map { ($0, [1]) }))
    }

    private func open(_ names: [String]) throws -> OriginalCheckpoint {
        try OriginalCheckpoint(path: file(names), in: library)
    }

    private static let unet = "model.diffusion_model.time_embed.0.weight"
    private static let clip = "cond_stage_model.transformer.text_model.final_layer_norm.bias"
    private static let openCLIP = "cond_stage_model.model.ln_final.bias"

    // MARK: - Refusals

    @Test(arguments: [
        ("lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight", "a LoRA"),
        ("unet.down_blocks.0.attentions.0.to_q.lora_A.weight", "a LoRA"),
        ("emb_params", "a textual inversion"),
        ("conditioner.embedders.1.model.ln_final.weight", "Stable Diffusion XL"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", "Stable Diffusion 3"),
        ("double_blocks.0.img_attn.qkv.weight", "Flux"),
        ("control_model.time_embed.0.weight", "ControlNet"),
        ("down_blocks.0.motion_modules.0.norm.weight", "AnimateDiff"),
        ("depth_model.model.pretrained.cls_token", "depth-to-image"),
        ("model.diffusion_model.label_emb.0.0.weight", "a condition beside the prompt"),
        ("down_blocks.0.resnets.0.conv1.weight", "the diffusers layout"),
        ("encoder.down.0.block.0.conv1.weight", "an autoencoder alone"),
    ])
    func otherKindsAreToldApart(name: String, words: String) throws {
        for names in [[name], [name, Self.unet, Self.clip]] {
            let path = try file(names)
            let error = try #require(throws: CheckpointError.self) {
                try OriginalCheckpoint(path: path, in: library)
            }
            guard case .unknownLayout(path, let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason.contains("seems to be") && reason.contains(words), "\(error)")
        }
    }

    @Test(arguments: [(9, "inpainting"), (8, "edits pictures"), (7, "upscaler"), (5, "depth")])
    func unetsThatTakeMoreThanLatentsAreRefused(channels: Int, words: String) throws {
        let path = try file([
            "model.diffusion_model.input_blocks.0.0.weight": [32, channels, 3, 3],
            "model.diffusion_model.out.2.weight": [4, 32, 3, 3],
        ])
        let error = try #require(throws: CheckpointError.self) {
            try OriginalCheckpoint(path: path, in: library)
        }
        #expect("\(error)".contains(words))
    }

    @Test(arguments: [
        "somebody.else", "first_stage_model.encoder.down.0.attn.0.q.weight",
        "first_stage_model.quant_conv.scale", "cond_stage_model.transformer.vision_model.weight",
        "cond_stage_model.model.transformer.resblocks.x.ln_1.weight",
        "cond_stage_model.model.transformer.resblocks.0.ln_3.weight",
        "model.diffusion_model.middle_block.3.in_layers.0.weight",
        "model.diffusion_model.input_blocks.0.1.norm.weight",
        // No block before it.
        "model.diffusion_model.input_blocks.4.0.in_layers.0.weight",
        "model.diffusion_model.output_blocks.99999999999999999999.0.in_layers.0.weight",
        "model.diffusion_model.input_blocks.+1.0.op.weight",
        "model.diffusion_model.", "model.diffusion_model.input_blocks.1.weight",
        "first_stage_model..weight", "first_stage_model.decoder.up.01.block.0.conv1.weight",
        "first_stage_model.decoder.mid.attn_1.weight", "",
    ])
    func unknownNamesAreNamed(name: String) throws {
        let error = try #require(throws: CheckpointError.self) { try open([name, Self.unet]) }
        guard case .unknownLayout(_, let reason) = error else { throw error }
        #expect(reason == "No rule knows \"\(name)\".")
    }

    @Test func whatNoPartNeedsIsIgnored() throws {
        let checkpoint = try open([
            Self.unet, Self.clip, "betas", "alphas_cumprod", "model_ema.decay",
            "model_ema.diffusion_modeltime_embed0weight", "cond_stage_model.logit_scale",
            "cond_stage_model.transformer.text_model.embeddings.position_ids",
            "first_stage_model.loss.logvar", "first_stage_model.post_quant_conv.bias",
        ])
        #expect(checkpoint.textEncoder == .clip)
        #expect(
            try checkpoint.source(of: .unet).names == ["time_embedding.linear_1.weight"])
        #expect(try checkpoint.source(of: .textEncoder).names == ["final_layer_norm.bias"])
        #expect(try checkpoint.source(of: .autoencoder).names == ["post_quant_conv.bias"])
    }

    @Test func partsMayBeAbsent() throws {
        let checkpoint = try open([Self.unet])
        #expect(checkpoint.textEncoder == nil)
        let error = try #require(throws: CheckpointError.self) {
            try checkpoint.source(of: .textEncoder)
        }
        #expect("\(error)".contains("holds no text encoder"))
        #expect(throws: CheckpointError.self) { try open([]) }
        #expect(throws: CheckpointError.self) { try open(["betas"]) }
        #expect(throws: CheckpointError.self) { try open([Self.clip, Self.openCLIP]) }
    }

    @Test func oneTensorUnderTwoNamesIsAnError() throws {
        let other = Self.clip.replacingOccurrences(of: "text_model.", with: "")
        let error = try #require(throws: CheckpointError.self) { try open([Self.clip, other]) }
        #expect("\(error)".contains(Self.clip) && "\(error)".contains(other))
    }

    // MARK: - Forms

    @Test func kernelsBecomeMatricesAndFusedProjectionsThree() throws {
        let attention = "first_stage_model.encoder.mid.attn_1"
        let layer = "cond_stage_model.model.transformer.resblocks.0.attn"
        let path = try file([
            "\(attention).q.weight": [2, 3, 1, 1], "\(attention).k.weight": [2, 3, 1],
            "\(attention).v.weight": [2, 3], "\(attention).proj_out.weight": [2, 3, 3, 3],
            "\(layer).in_proj_weight": [6, 5], "\(layer).in_proj_bias": [7],
        ])
        let checkpoint = try OriginalCheckpoint(path: path, in: library)
        let autoencoder = try checkpoint.source(of: .autoencoder)
        let block = "encoder.mid_block.attentions.0"
        for name in ["\(block).to_q.weight", "\(block).to_k.weight", "\(block).to_v.weight"] {
            #expect(try autoencoder.spec(of: name).shape == [2, 3])
            #expect(try autoencoder.tensor(named: name).shape == [2, 3])
        }
        let name = "\(attention).proj_out.weight"
        #expect(
            throws: CheckpointError.shapeMismatch(
                path: path, name: name, expected: [2, 3, 1, 1], found: [2, 3, 3, 3])
        ) {
            try autoencoder.tensor(named: "\(block).to_out.0.weight")
        }
        let text = try checkpoint.source(of: .textEncoder)
        let projection = "encoder.layers.0.self_attn.k_proj"
        #expect(try text.spec(of: "\(projection).weight").shape == [2, 5])
        #expect(try text.tensor(named: "\(projection).weight").shape == [2, 5])
        let error = try #require(throws: CheckpointError.self) {
            try text.tensor(named: "\(projection).bias")
        }
        #expect("\(error)".contains("\(layer).in_proj_bias") && "\(error)".contains("[7]"))
    }

    @Test func thirdsAreQueriesKeysAndValues() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [6], in: library)
        let names = OriginalOpenCLIPNames()
        let stored = "transformer.resblocks.22.attn.in_proj_bias"
        let source = try RecastSource(
            InMemorySource([stored: tensor]), location: "here",
            placements: #require(names.placements(of: stored)).map { (stored, $0) })
        for (projection, values) in [("q", [1, 2]), ("k", [3, 4]), ("v", [5, 6])] {
            let third = try source.tensor(
                named: "encoder.layers.22.self_attn.\(projection)_proj.bias")
            #expect(try third.elements(as: Float.self) == values.map(Float.init))
        }
        #expect(throws: CheckpointError.missingTensor(path: "here", name: stored)) {
            try source.tensor(named: stored)
        }
    }

    @Test func theLastLayerOfOpenCLIPIsLeftOut() {
        let names = OriginalOpenCLIPNames()
        #expect(names.placements(of: "transformer.resblocks.23.ln_1.weight") == [])
        #expect(names.placements(of: "transformer.resblocks.23.ln_3.weight") == nil)
        #expect(names.placements(of: "transformer.resblocks.22.ln_1.weight")?.count == 1)
    }
}
