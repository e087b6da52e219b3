import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The unconditional UNet against diffusers' own, with the same weights and inputs.
@Suite struct UNet2DModelTests {
    private struct Answer: Decodable {
        let folder: String
        let timesteps: [Int]
        let inputs: [String: PackedTensor]
        let outputs: [String: PackedTensor]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("unet2d", folder.path)
        #expect(answers.count == 14)
        for answer in answers {
            let configuration = try UNet2DConfiguration(path: "\(answer.folder)/config.json")
            let sample = try #require(answer.inputs["sample"]).tensor(in: library)
            let expected = try #require(answer.outputs["output"])
            let tolerances: [(Precision, Double)] = [(.exact, 1e-5), (.default, 1e-5)]
            for (precision, tolerance) in tolerances {
                let weights = Weights(
                    try ComponentFolder.open(answer.folder, in: library), precision: precision)
                let model = try UNet2DModel(weights, configuration: configuration, in: library)
                let output = try model(sample, timesteps: answer.timesteps)
                let place: Comment = "\(answer.folder) at \(answer.timesteps), \(precision)"
                #expect(try expected.relativeError(of: output) < tolerance, place)
                if Set(answer.timesteps).count == 1 {
                    let single = try model(sample, timestep: Double(answer.timesteps[0]))
                    #expect(try output.elements(as: Float.self) == single.elements(as: Float.self))
                }
                #expect(throws: TorchError.self) {
                    try model(sample, timesteps: answer.timesteps + [0])
                }
            }
        }
    }

    @Test func refusesOtherShapes() throws {
        let library = try LibTorch.shared()
        var configuration = UNet2DConfiguration()
        configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
        configuration.blockOutChannels = [8, 8]
        configuration.normNumGroups = 4
        let model = try UNet2DModel(
            Weights(RandomSource(seed: 1, in: library)), configuration: configuration, in: library)
        for shape in [[3, 8, 8], [1, 4, 8, 8], [1, 3, 7, 8], [1, 3, 8, 9], [0, 3, 8, 8]] {
            #expect(throws: TorchError.self, "\(shape)") { try model.check(sample: shape) }
        }
        try model.check(sample: [2, 3, 6, 8])
    }

    @Test(arguments: [
        (#"{"down_block_types": ["SkipDownBlock2D"]}"#, "down_block_types"),
        (#"{"up_block_types": ["CrossAttnUpBlock2D"]}"#, "up_block_types"),
        (#"{"mid_block_type": "UNetMidBlock2DCrossAttn"}"#, "mid_block_type"),
        (#"{"time_embedding_type": "fourier"}"#, "time_embedding_type"),
        (#"{"class_embed_type": "timestep"}"#, "class_embed_type"),
        (#"{"num_class_embeds": 10}"#, "num_class_embeds"),
        (#"{"act_fn": "gelu"}"#, "act_fn"),
        (#"{"block_out_channels": [224, 448]}"#, "block_out_channels"),
        (#"{"block_out_channels": [33, 448, 672, 896]}"#, "block_out_channels"),
        (#"{"block_out_channels": []}"#, "block_out_channels"),
        (#"{"attention_head_dim": 9}"#, "attention_head_dim"),
        (#"{"attention_head_dim": 0}"#, "attention_head_dim"),
        (#"{"attn_norm_num_groups": 9}"#, "attn_norm_num_groups"),
        (#"{"norm_num_groups": 0}"#, "norm_num_groups"),
        (#"{"norm_num_groups": null, "norm_eps": 2}"#, "norm_eps"),
        (#"{"layers_per_block": 0}"#, "layers_per_block"),
        (#"{"mid_block_scale_factor": 0}"#, "mid_block_scale_factor"),
        (#"{"downsample_padding": 2}"#, "downsample_padding"),
        (#"{"downsample_type": "pool"}"#, "downsample_type"),
        (#"{"resnet_time_scale_shift": "spatial"}"#, "resnet_time_scale_shift"),
        (#"{"sample_size": 0}"#, "sample_size"),
        (#"{"in_channels": -3}"#, "in_channels"),
        (#"{"dropout": 1}"#, "dropout"),
        (#"{"freq_shift": 200}"#, "freq_shift"),
    ])
    func namesWhatItDoesNotKnow(json: String, key: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(json.utf8, to: "config.json")
        let error = #expect(throws: ConfigurationError.self) { try UNet2DConfiguration(path: path) }
        #expect("\(try #require(error))".contains(key))
    }

    /// null means something else than an absent key for these.
    @Test func readsAndWritesNull() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            #"{"attention_head_dim": null, "mid_block_type": null}"#.utf8, to: "config.json")
        let read = try UNet2DConfiguration(path: path)
        #expect(read.attentionHeadDim == nil && read.midBlockType == nil)
        #expect(read.sampleHeight == nil)
        let again = try UNet2DConfiguration(path: folder.write(read.json().utf8, to: "again.json"))
        #expect(again == read)
        var whole = UNet2DConfiguration()
        (whole.sampleHeight, whole.sampleWidth) = (32, 48)
        whole.resnetTimeScaleShift = .scaleShift
        whole.downsampleType = .resnet
        whole.timeEmbeddingDim = 100
        let path2 = try folder.write(whole.json().utf8, to: "whole.json")
        #expect(try UNet2DConfiguration(path: path2) == whole)
    }
}
