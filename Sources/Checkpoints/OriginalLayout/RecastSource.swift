import Torch

/// A source under other names and, where a layer is stored in another form, in other shapes.
struct RecastSource: TensorSource {
    private struct Stored {
        let name: String
        let form: Placement.Form
    }

    let location: String
    let names: [String]
    private let base: any TensorSource
    private let stored: [String: Stored]

    /// - Parameters:
    ///   - location: what errors call this source.
    ///   - placements: of each tensor of `base` that is used, by its name there.
    /// - Throws: `CheckpointError.malformed` if two tensors would get one name.
    init(
        _ base: any TensorSource, location: String,
        placements: [(stored: String, placement: Placement)]
    ) throws {
        var stored: [String: Stored] = [:]
        for (name, placement) in placements {
            let entry = Stored(name: name, form: placement.form)
            if let other = stored.updateValue(entry, forKey: placement.name) {
                throw CheckpointError.malformed(
                    path: base.location, place: "tensor names",
                    reason: """
                        \(quoted(name)) and \(quoted(other.name)) are the same tensor under two names.
                        """)
            }
        }
        self.base = base
        self.location = location
        self.stored = stored
        names = stored.keys.sorted()
    }

    func contains(_ name: String) -> Bool { stored[name] != nil }

    func spec(of name: String) throws -> TensorSpec {
        let entry = try entry(name)
        let spec = try base.spec(of: entry.name)
        return TensorSpec(shape: try shape(of: spec.shape, entry), dtype: spec.dtype)
    }

    func tensor(named name: String) throws -> Tensor {
        let entry = try entry(name)
        let tensor = try base.tensor(named: entry.name)
        let shape = try shape(of: tensor.shape, entry)
        switch entry.form {
        case .asStored: return tensor
        case .matrixOfKernel: return try tensor.reshaped(shape)
        case .third(let index):
            return try tensor.narrowed(
                dimension: 0, start: index * shape[0], length: shape[0])
        }
    }

    private func entry(_ name: String) throws -> Stored {
        guard let entry = stored[name] else {
            throw CheckpointError.missingTensor(path: location, name: name)
        }
        return entry
    }

    /// The shape that a stored one becomes.
    private func shape(of stored: [Int], _ entry: Stored) throws -> [Int] {
        switch entry.form {
        case .asStored: return stored
        case .matrixOfKernel:
            let matrix = Array(stored.prefix(2))
            guard (2...4).contains(stored.count), stored.dropFirst(2).allSatisfy({ $0 == 1 }) else {
                throw CheckpointError.shapeMismatch(
                    path: base.location, name: entry.name, expected: matrix + [1, 1], found: stored)
            }
            return matrix
        case .third:
            guard let rows = stored.first, rows.isMultiple(of: 3) else {
                throw CheckpointError.malformed(
                    path: base.location, place: "tensor \(quoted(entry.name))",
                    reason: """
                        Queries, keys and values stored as one must have three times as many rows as each; \
                        the shape is \(stored).
                        """)
            }
            return [rows / 3] + stored.dropFirst()
        }
    }
}
