/// Where a tensor of the original layout belongs in diffusers' layout.
struct Placement: Equatable {
    /// How the stored elements become the tensor of that name.
    enum Form: Equatable {
        case asStored
        /// A 1×1 kernel `[out, in, 1, 1]` (or `[out, in, 1]`) becomes the matrix `[out, in]`.
        case matrixOfKernel
        /// The first, second or last third of the rows: queries, keys or values stored as one.
        case third(Int)
    }

    /// The name in diffusers or transformers.
    let name: String
    var form = Form.asStored
}

/// The rules by which one part of a model is named in the original layout.
protocol OriginalNames {
    /// - Parameter stored: a name without the prefix of the part.
    /// - Returns: what it becomes; nothing if the part does without it; nil if no rule knows it.
    func placements(of stored: String) -> [Placement]?
}

/// A name in its parts: "time_embed.0.weight" is the parameter "weight" of `["time_embed", "0"]`.
struct ParameterName {
    let module: [String]
    let parameter: String

    /// Nil for anything but a weight or a bias.
    init?(_ name: String) {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let parameter = parts.popLast(), parameter == "weight" || parameter == "bias" else {
            return nil
        }
        module = parts
        self.parameter = parameter
    }

    /// The place in the list `list` that this is in: 3 of `input_blocks.3.0.op` and "input_blocks".
    func index(in list: String) -> Int? {
        module.count > 1 && module[0] == list ? Self.index(module[1]) : nil
    }

    /// A number as Python writes it: neither "+1" nor "01".
    static func index(_ text: String) -> Int? {
        Int(text).flatMap { $0 >= 0 && String($0) == text ? $0 : nil }
    }
}
