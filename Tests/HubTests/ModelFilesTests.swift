import TestSupport
import Testing

@testable import Hub

@Suite struct ModelFilesTests {
    private static let settings: Set<String> = [
        "vae/config.json", "unet/config.json", "text_encoder/config.json",
        "scheduler/scheduler_config.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
    ]
    private static let weights: Set<String> = [
        "vae/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
    ]

    private func needed(
        _ names: Set<String>, _ parts: HubParts = .wholeModel, variant: String? = nil,
        fallsBack: Bool = false, contents: [String: String] = [:]
    ) throws -> Set<String> {
        let files = ModelFiles(parts: parts, variant: variant, fallsBackToPlain: fallsBack)
        let needed = try files.needed(of: "a/b", among: names) { Array((contents[$0] ?? "").utf8) }
        #expect(Set(needed).count == needed.count)
        // Small files first.
        let kinds = needed.map { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }
        #expect(kinds == kinds.sorted { $0 && !$1 })
        return Set(needed)
    }

    @Test func nothingButWhatIsNeeded() throws {
        let others: Set<String> = [
            "README.md", "v1-5-pruned.ckpt", "v1-5-pruned.safetensors", "a.png", "vae/sample.jpg",
            "unet/flax_model.msgpack", "unet/model.onnx", "unet/diffusion_pytorch_model.fp16.bin",
            "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.non_ema.bin",
            "safety_checker/model.safetensors", "safety_checker/config.json",
            "tokenizer/deep/file.json", "tokenizer/image.png", "vae_decoder/model.onnx",
        ]
        let all = Self.settings.union(Self.weights)
        #expect(try needed(all.union(others)) == all)
        #expect(
            try needed(all.union(others), .autoencoder) == [
                "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
            ])
    }

    /// The rule of `ComponentFolder`, but that whole files come before shards.
    @Test func oneSetOfWeightsIsTaken() throws {
        let base = "diffusion_pytorch_model"
        let order = [
            "\(base).safetensors", "\(base).bin", "\(base).fp16.safetensors", "\(base).fp16.bin",
            "\(base).bf16.safetensors",
        ]
        for start in order.indices {
            let there = order[start...].map { "vae/\($0)" }
            #expect(
                try needed(Set(there + ["vae/config.json"]), .autoencoder)
                    == ["vae/config.json", "vae/\(order[start])"])
        }
    }

    @Test func aVariantIsTakenOrNothing() throws {
        let half: Set<String> = [
            "vae/diffusion_pytorch_model.fp16.safetensors",
            "unet/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.fp16.safetensors",
        ]
        let all = Self.settings.union(Self.weights).union(half)
        #expect(try needed(all, variant: "fp16") == Self.settings.union(half))
        #expect(try needed(all) == Self.settings.union(Self.weights))

        let without = all.subtracting(["unet/diffusion_pytorch_model.fp16.safetensors"])
        let error = #expect(throws: HubError.self) { try needed(without, variant: "fp16") }
        #expect(
            error
                == .noWeights(
                    id: "a/b", component: "unet", variant: "fp16",
                    found: ["unet/diffusion_pytorch_model.safetensors"]))
        #expect("\(try #require(error))".contains("unet/diffusion_pytorch_model.safetensors"))
        #expect(
            try needed(without, variant: "fp16", fallsBack: true)
                == Self.settings.union(half).subtracting([
                    "unet/diffusion_pytorch_model.fp16.safetensors"
                ]).union(["unet/diffusion_pytorch_model.safetensors"]))
    }

    @Test(arguments: [
        ("diffusion_pytorch_model.safetensors.index.json", String?.none),
        ("diffusion_pytorch_model.bin.index.json", nil),
        ("diffusion_pytorch_model.safetensors.index.fp16.json", "fp16"),
        ("diffusion_pytorch_model.fp16.safetensors.index.json", "fp16"),
    ])
    func shardsComeWithTheirIndex(_ index: String, _ variant: String?) throws {
        let names: Set = ["vae/config.json", "vae/\(index)", "vae/1-of-2", "vae/2-of-2", "vae/3"]
        let map = "{\"a\": \"1-of-2\", \"b\": \"2-of-2\", \"c\": \"1-of-2\"}"
        let contents = ["vae/\(index)": "{\"weight_map\": \(map)}"]
        let files = ModelFiles(parts: .autoencoder, variant: variant, fallsBackToPlain: false)
        #expect(
            try files.needed(of: "a/b", among: names) { Array((contents[$0] ?? "").utf8) }
                == ["vae/config.json", "vae/\(index)", "vae/1-of-2", "vae/2-of-2"])
        #expect(throws: HubError.missingFiles(id: "a/b", files: ["vae/2-of-2"])) {
            try needed(
                names.subtracting(["vae/2-of-2"]), .autoencoder, variant: variant,
                contents: contents)
        }
    }

    @Test(arguments: ["../x", "/x", "a/b", "a\\\\b", "", ".."])
    func anIndexNamesFilesBesideItOnly(_ shard: String) {
        let index = "vae/diffusion_pytorch_model.safetensors.index.json"
        let error = #expect(throws: HubError.self) {
            try needed(
                ["vae/config.json", index], .autoencoder,
                contents: [index: "{\"weight_map\": {\"a\": \"\(shard)\"}}"])
        }
        if case .badAnswer(let url, _)? = error {
            #expect(url == index)
        } else {
            Issue.record("\(String(describing: error))")
        }
    }

    @Test func componentsAreThoseOfTheModelIndex() throws {
        let names = Self.settings.union(Self.weights).union([
            "model_index.json", "text_encoder_2/config.json", "text_encoder_2/model.safetensors",
            "safety_checker/config.json", "safety_checker/model.safetensors",
            "feature_extractor/preprocessor_config.json",
        ])
        let index = """
            {"_class_name": "X", "vae": ["diffusers", "AutoencoderKL"], "unet": [null, null],
            "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "number": 3,
            "safety_checker": ["a", "b"], "feature_extractor": ["a", "b"], "../x": [null, null]}
            """
        let expected: Set<String> = [
            "model_index.json", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
            "text_encoder_2/config.json", "text_encoder_2/model.safetensors",
        ]
        #expect(try needed(names, contents: ["model_index.json": index]) == expected)
        #expect(
            try needed(
                names, .wholeModelWithSafetyChecker, contents: ["model_index.json": index])
                == expected.union([
                    "safety_checker/config.json", "safety_checker/model.safetensors",
                    "feature_extractor/preprocessor_config.json",
                ]))
    }

    @Test(arguments: settings)
    func aModelWithoutOneOfItsFilesIsAnError(_ file: String) {
        let all = Self.settings.union(Self.weights)
        #expect(throws: HubError.missingFiles(id: "a/b", files: [file])) {
            try needed(all.subtracting([file]))
        }
    }

    @Test func anotherLayoutIsAnErrorThatSaysSo() throws {
        let error = #expect(throws: HubError.self) { try needed(["model.ckpt"]) }
        #expect("\(try #require(error))".contains("layout of diffusers"))
    }
}
