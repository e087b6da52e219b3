import Torch

/// A source under other names: the names of an old checkpoint become those of today.
public struct RenamedSource: TensorSource {
    private let base: any TensorSource
    /// Today's name to the name in the file.
    private let storedNames: [String: String]
    public let names: [String]

    /// - Parameters:
    ///   - base: the tensors under their stored names.
    ///   - rename: today's name for a stored one; the same name where nothing changed.
    /// - Throws: `CheckpointError.malformed` if two tensors would get one name.
    public init(_ base: any TensorSource, rename: (String) -> String) throws {
        var storedNames: [String: String] = [:]
        var names: [String] = []
        for stored in base.names {
            let name = rename(stored)
            if let other = storedNames.updateValue(stored, forKey: name) {
                throw CheckpointError.malformed(
                    path: base.location, place: "tensor names",
                    reason: """
                        \(quoted(stored)) is the old name of \(quoted(name)), but \(quoted(other)) is \
                        there as well.
                        """)
            }
            names.append(name)
        }
        self.base = base
        self.storedNames = storedNames
        self.names = names
    }

    public var location: String { base.location }

    public func contains(_ name: String) -> Bool { storedNames[name] != nil }

    public func spec(of name: String) throws -> TensorSpec {
        try base.spec(of: storedName(of: name))
    }

    public func tensor(named name: String) throws -> Tensor {
        try base.tensor(named: storedName(of: name))
    }

    private func storedName(of name: String) throws -> String {
        guard let stored = storedNames[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return stored
    }
}

// MARK: - Names of old checkpoints

extension RenamedSource {
    /// The projections of an attention block in the first releases of diffusers, and their names
    /// today. Only the names changed, not the shapes.
    private static let attentionProjections = [
        "query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0",
    ]

    /// Today's name of a parameter, as `ModelMixin._fix_state_dict_keys_on_load` in diffusers has
    /// it: `….attentions.0.query.weight` is `….attentions.0.to_q.weight`.
    ///
    /// diffusers renames in the blocks that it has marked as once deprecated; all of them stand in
    /// a list named `attentions`.
    static func currentName(of stored: String) -> String {
        var parts = stored.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let block = parts.suffix(4)
        guard block.count == 4, let list = block.first, list == "attentions",
            let parameter = block.last, parameter == "weight" || parameter == "bias",
            Int(block[block.startIndex + 1]) != nil,
            let projection = attentionProjections[block[block.startIndex + 2]]
        else { return stored }
        parts[block.startIndex + 2] = projection
        return parts.joined(separator: ".")
    }

    /// `source` under today's names; `source` itself if it uses them already.
    static func withCurrentNames(_ source: any TensorSource) throws -> any TensorSource {
        guard source.names.contains(where: { currentName(of: $0) != $0 }) else { return source }
        return try RenamedSource(source, rename: currentName)
    }
}
