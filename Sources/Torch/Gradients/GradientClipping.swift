// Gradients limited together, so that one bad batch does not throw a model off its course.

extension Dictionary where Key: Comparable, Value == Tensor {
    /// The Euclidean length of all gradients taken as one vector, a float32 tensor without dimensions
    /// (float64 where they are); nil if there are none.
    public func totalNorm() throws -> Tensor? {
        // In the order of the names: a dictionary has another one in each process, even in each instance,
        // and the order of a sum decides its last bits.
        let squares = try sorted { $0.key < $1.key }.map { _, gradient in
            let precise =
                try gradient.dtype.byteCount < 4 ? gradient.converted(to: .float32) : gradient
            return try (precise * precise).sum().reshaped([1])
        }
        guard let first = squares.first else { return nil }
        let device = try first.device
        return try Tensor.concatenated(squares.map { try $0.moved(to: device) }, dimension: 0)
            .sum().squareRoot()
    }

    /// The gradients scaled down together where `totalNorm` exceeds `limit`.
    ///
    /// Answers to `torch.nn.utils.clip_grad_norm_`, which writes to them instead. As there, gradients
    /// that are not finite make the results useless; `totalNorm` tells.
    /// - Parameter limit: above 0.
    /// - Throws: `TorchError.invalidArgument` for another limit.
    public func clipped(toTotalNorm limit: Double) throws -> [Key: Tensor] {
        try Self.check(limit)
        guard let norm = try totalNorm() else { return self }
        let scale = try (limit * (norm + 1e-6).raised(to: -1)).clamped(to: 0...1)
        return try mapValues { gradient in
            try (gradient * scale.moved(to: gradient.device)).converted(to: gradient.dtype)
        }
    }

    /// The same where the total norm is known already as a number: nothing is computed if it is within the
    /// limit.
    ///
    /// - Parameters:
    ///   - limit: above 0.
    ///   - norm: what `totalNorm` gave.
    /// - Throws: `TorchError.invalidArgument` for another limit.
    public func clipped(toTotalNorm limit: Double, from norm: Double) throws -> [Key: Tensor] {
        try Self.check(limit)
        guard norm + 1e-6 > limit else { return self }
        return try mapValues { try limit / (norm + 1e-6) * $0 }
    }

    private static func check(_ limit: Double) throws {
        guard limit > 0 else {
            throw TorchError.invalidArgument("A total norm of \(limit) is asked for.")
        }
    }
}
