/// What can go wrong with files of tensors. Every case names the file, the place in it and the
/// reason.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// A file that is missing, no regular file, unreadable or empty.
    case cannotOpen(path: String, reason: String)
    /// A file that breaks the rules of its format; `place` says where ("header, byte 12").
    case malformed(path: String, place: String, reason: String)
    /// A file that asks for something that a file of weights has no business to ask for.
    case refused(path: String, place: String, reason: String)
    /// A tensor of a type that no tensor here can have, such as an 8-bit float.
    case unsupportedDType(path: String, name: String, dtype: String)
    /// A tensor that a model needs and the checkpoint does not hold.
    case missingTensor(path: String, name: String)
    /// A tensor whose shape is not the one that the model's configuration asks for.
    case shapeMismatch(path: String, name: String, expected: [Int], found: [Int])
    /// Tensors that the model has no place for: the configuration and the weights do not belong
    /// together.
    case unusedTensors(path: String, names: [String])
    /// A folder without weights; `lookedFor` are the file names tried, `found` what the folder
    /// holds.
    case weightsNotFound(folder: String, lookedFor: [String], found: [String])
    /// A single file that is no model in the layout of the original Stable Diffusion; `reason` says
    /// what it seems to be, or what is odd about it.
    case unknownLayout(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            return "Cannot open \(path): \(reason)"
        case .malformed(let path, let place, let reason):
            return """
                \(path) is damaged (\(place)): \(reason) Fetch the file again, and compare its size with the \
                original's.
                """
        case .refused(let path, let place, let reason):
            return """
                \(path) is refused (\(place)): \(reason) Only plain weights are read; use the model's \
                safetensors file, or load this one in Python, if you trust it, and save its tensors alone.
                """
        case .unsupportedDType(let path, let name, let dtype):
            return """
                Tensor \(quoted(name)) in \(path) has the dtype \(quoted(dtype)), which is not \
                supported here. Use weights in F32, F16 or BF16.
                """
        case .missingTensor(let path, let name):
            return """
                \(path) holds no tensor \(quoted(name)). Does config.json belong to these weights?
                """
        case .shapeMismatch(let path, let name, let expected, let found):
            return """
                Tensor \(quoted(name)) in \(path) has the shape \(found), where \(expected) is needed. Does \
                config.json belong to these weights?
                """
        case .unusedTensors(let path, let names):
            return """
                \(path) holds \(names.count) tensors that the model has no place for: \(listed(names)). Does \
                config.json belong to these weights?
                """
        case .weightsNotFound(let folder, let lookedFor, let found):
            return """
                No weights in \(folder). Looked for \(lookedFor.joined(separator: ", ")); the folder holds \
                \(found.isEmpty ? "nothing" : listed(found)). Was the download finished?
                """
        case .unknownLayout(let path, let reason):
            return """
                \(path) cannot be used as a model. \(reason) A single file must hold a Stable Diffusion 1.x \
                or 2.x model under the original names (model.diffusion_model.…, first_stage_model.…, \
                cond_stage_model.…).
                """
        }
    }
}

/// A text from a file as an error shows it: in quotes, control characters escaped, cut where long.
func quoted(_ text: String) -> String {
    let limit = 100
    let shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
    return shown.debugDescription + (text.unicodeScalars.count > limit ? "…" : "")
}

/// The first names of a list that may be long.
func listed(_ names: [String]) -> String {
    let limit = 20
    let shown = names.prefix(limit).map(quoted).joined(separator: ", ")
    return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
}
