/// The UNet's names in the original layout, `input_blocks`, `middle_block` and `output_blocks`, as
/// diffusers' `UNet2DConditionModel` has them. Answers to `convert_ldm_unet_checkpoint` in diffusers.
///
/// The original counts blocks through all levels. Where a level ends is seen from the names: on the
/// way down at the block that is a downsampler, on the way up at the block that has an upsampler.
struct OriginalUNetNames: OriginalNames {
    private struct Position {
        var level = 0
        var layer = 0
    }

    private let inputPositions: [Int: Position]
    private let outputPositions: [Int: Position]

    /// - Parameter names: all of the UNet, without its prefix.
    init(_ names: some Sequence<String>) {
        let names = names.compactMap(ParameterName.init)
        // Block 0 is the first convolution.
        inputPositions = Self.positions(in: "input_blocks", of: names, from: 1) {
            $0.count == 4 && $0[2] == "0" && $0[3] == "op"
        }
        outputPositions = Self.positions(in: "output_blocks", of: names, from: 0) {
            Self.isUpsampler($0)
        }
    }

    private static func positions(
        in list: String, of names: [ParameterName], from first: Int,
        endsLevel: ([String]) -> Bool
    ) -> [Int: Position] {
        var indices: Set<Int> = []
        var lastOfLevel: Set<Int> = []
        for name in names {
            guard let index = name.index(in: list) else { continue }
            indices.insert(index)
            if endsLevel(name.module) { lastOfLevel.insert(index) }
        }
        var positions: [Int: Position] = [:]
        var position = Position()
        var index = first
        while indices.contains(index) {
            positions[index] = position
            position =
                lastOfLevel.contains(index)
                ? Position(level: position.level + 1)
                : Position(level: position.level, layer: position.layer + 1)
            index += 1
        }
        return positions
    }

    // MARK: - Rules

    private static let singleModules = [
        "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
        "input_blocks.0.0": "conv_in", "out.0": "conv_norm_out", "out.2": "conv_out",
    ]

    private static let resnetModules = [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
        "out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
    ]

    /// What begins a name within an attention block; the names themselves are the same in both.
    private static let attentionModules: Set<String> = [
        "norm", "proj_in", "proj_out", "transformer_blocks",
    ]

    func placements(of stored: String) -> [Placement]? {
        guard let name = ParameterName(stored), let module = module(name) else { return nil }
        return [Placement(name: "\(module).\(name.parameter)")]
    }

    private func module(_ name: ParameterName) -> String? {
        if let single = Self.singleModules[name.module.joined(separator: ".")] { return single }
        if let index = name.index(in: "input_blocks") {
            return inputPositions[index].flatMap { inputModule(name.module, $0) }
        }
        if let index = name.index(in: "output_blocks") {
            return outputPositions[index].flatMap { outputModule(name.module, $0) }
        }
        return name.module.first == "middle_block" ? middleModule(name.module) : nil
    }

    private func inputModule(_ module: [String], _ position: Position) -> String? {
        let block = "down_blocks.\(position.level)"
        switch module.dropFirst(2).first {
        case "0" where module.count == 4 && module[3] == "op":
            return "\(block).downsamplers.0.conv"
        case "0":
            return Self.resnet(module.dropFirst(3), in: "\(block).resnets.\(position.layer)")
        case "1":
            return Self.attention(
                module.dropFirst(3), in: "\(block).attentions.\(position.layer)")
        default:
            return nil
        }
    }

    private func outputModule(_ module: [String], _ position: Position) -> String? {
        let block = "up_blocks.\(position.level)"
        if Self.isUpsampler(module) { return "\(block).upsamplers.0.conv" }
        switch module.dropFirst(2).first {
        case "0":
            return Self.resnet(module.dropFirst(3), in: "\(block).resnets.\(position.layer)")
        case "1":
            return Self.attention(
                module.dropFirst(3), in: "\(block).attentions.\(position.layer)")
        default:
            return nil
        }
    }

    private func middleModule(_ module: [String]) -> String? {
        switch module.dropFirst().first {
        case "0": Self.resnet(module.dropFirst(2), in: "mid_block.resnets.0")
        case "1": Self.attention(module.dropFirst(2), in: "mid_block.attentions.0")
        case "2": Self.resnet(module.dropFirst(2), in: "mid_block.resnets.1")
        default: nil
        }
    }

    /// The upsampler comes after the attention, where the level has one.
    private static func isUpsampler(_ module: [String]) -> Bool {
        module.count == 4 && (module[2] == "1" || module[2] == "2") && module[3] == "conv"
    }

    private static func resnet(_ parts: ArraySlice<String>, in block: String) -> String? {
        resnetModules[parts.joined(separator: ".")].map { "\(block).\($0)" }
    }

    private static func attention(_ parts: ArraySlice<String>, in block: String) -> String? {
        guard let first = parts.first, attentionModules.contains(first) else { return nil }
        return "\(block).\(parts.joined(separator: "."))"
    }
}
