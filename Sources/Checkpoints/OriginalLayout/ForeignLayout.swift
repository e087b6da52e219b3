/// Tells what a file is that is no Stable Diffusion 1.x or 2.x model, from what its tensors are called.
enum ForeignLayout {
    private struct Sign {
        let kind: String
        var prefixes: [String] = []
        var parts: [String] = []

        func fits(_ name: String) -> Bool {
            prefixes.contains(where: name.hasPrefix) || parts.contains(where: name.contains)
        }
    }

    /// The surest first.
    private static let signs = [
        Sign(
            kind: "a LoRA, which changes a model and is none itself",
            prefixes: ["lora_unet_", "lora_te"],
            parts: [".lora_", "lora_up.", "lora_down.", ".lora.", "hada_w1", "lokr_w1"]),
        Sign(
            kind: "a textual inversion, which adds words to a model and is none itself",
            prefixes: ["emb_params", "string_to_param"]),
        Sign(kind: "a Stable Diffusion XL model", prefixes: ["conditioner.embedders."]),
        Sign(kind: "a Stable Diffusion 3 model", parts: ["joint_blocks."]),
        Sign(kind: "a Flux model", parts: ["double_blocks.", "double_stream_"]),
        Sign(
            kind: "a ControlNet", prefixes: ["control_model.", "input_hint_block.", "controlnet_"]),
        Sign(kind: "a motion module of AnimateDiff", parts: ["motion_modules."]),
        Sign(kind: "a depth-to-image model", prefixes: ["depth_model."]),
        Sign(
            kind: "an unCLIP model, which starts from pictures",
            prefixes: ["embedder.", "noise_augmentor."]),
        Sign(
            kind: "a model with a condition beside the prompt, such as an upscaler",
            parts: ["diffusion_model.label_emb."]),
        Sign(
            kind: "one part of a model in the diffusers layout; pass the folder of the whole model",
            prefixes: ["down_blocks.", "encoder.down_blocks.", "text_model."]),
        Sign(kind: "an autoencoder alone", prefixes: ["encoder.down.", "decoder.up."]),
    ]

    /// What a file with such names is; nil if none of them tells.
    static func kind(of names: [String]) -> String? {
        signs.first { names.contains(where: $0.fits) }?.kind
    }

    /// What a UNet is that takes other channels than it gives.
    static func kind(ofUNetWithChannels channels: Int) -> String {
        switch channels {
        case 9: "an inpainting model (its UNet takes 9 channels)"
        case 8: "a model that edits pictures, such as InstructPix2Pix (its UNet takes 8 channels)"
        case 7: "an upscaler (its UNet takes 7 channels)"
        case 5: "a depth-to-image model (its UNet takes 5 channels)"
        default: "a model whose UNet takes \(channels) channels and gives another number"
        }
    }
}
