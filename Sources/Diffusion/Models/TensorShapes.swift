import Checkpoints

/// The shapes of a model's tensors, from which a configuration is inferred where none is stored.
struct TensorShapes {
    let source: any TensorSource

    func contains(_ name: String) -> Bool { source.contains(name) }

    /// The shape of a tensor.
    /// - Parameter ranks: how many dimensions it may have.
    /// - Throws: `CheckpointError.missingTensor`; `.malformed` if the number of dimensions is another.
    func shape(of name: String, ranks: ClosedRange<Int>) throws -> [Int] {
        let shape = try source.spec(of: name).shape
        guard ranks.contains(shape.count) else {
            throw CheckpointError.malformed(
                path: source.location, place: "tensor \"\(name)\"",
                reason: "It has the shape \(shape), which no layer of such a model has.")
        }
        return shape
    }

    /// Sizes of a convolution's kernel: to and from how many channels it goes.
    func kernel(_ name: String) throws -> (to: Int, from: Int) {
        let shape = try shape(of: "\(name).weight", ranks: 4...4)
        return (shape[0], shape[1])
    }

    /// Sizes of a matrix: rows, which are the outputs of a linear layer, and columns.
    func matrix(_ name: String) throws -> (rows: Int, columns: Int) {
        let shape = try shape(of: "\(name).weight", ranks: 2...2)
        return (shape[0], shape[1])
    }

    /// How many modules a list has: the first n for which `<list>.<n>.<tensor>` is not there.
    func count(_ list: String, with tensor: String) -> Int {
        var count = 0
        while source.contains("\(list).\(count).\(tensor)") { count += 1 }
        return count
    }
}
