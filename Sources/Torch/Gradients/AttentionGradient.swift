// How gradients go back through attention. Neither way keeps the probabilities
// `P = softmax(Q Kᵀ / √d)`: those of every layer would be the largest part of the memory.

extension Tensor {
    /// Whether libtorch's FlashAttention (Dao et al., 2022) for the CPU takes self as query; it is the
    /// one that `scaledDotProductAttention` chooses where it can. It never has all of `P` in memory.
    func hasFlashAttention(_ key: Tensor, _ value: Tensor, isCausal: Bool) throws -> Bool {
        guard shape.count == 4, key.shape.count == 4, value.shape == key.shape else { return false }
        let parts = [self, key, value]
        return try shape[0...1] == key.shape[0...1] && shape[3] == key.shape[3]
            && (!isCausal || shape == key.shape)
            && parts.allSatisfy {
                try $0.count > 0 && $0.device == .cpu && $0.dtype == dtype
                    && $0.dtype.isFloatingPoint && $0.strides.last == 1
            }
    }

    /// As `scaledDotProductAttention`, of tensors of which one is recorded.
    func recordedFlashAttention(_ key: Tensor, _ value: Tensor, isCausal: Bool) throws -> Tensor {
        let parts = [self, key, value].map(Argument.tensor)
        let name = "_scaled_dot_product_flash_attention_for_cpu"
        let results = try library.call(
            name, parts + [.double(0), .bool(isCausal), .none, .none], returning: [true, true])
        let result = try library.unwrap(results[0], name)
        let logSums = try library.unwrap(results[1], name)
        return try result.recorded(from: self, key, value) {
            [
                GradientPath(to: [self, key, value]) { gradient, _ in
                    // Like the inputs, it has to have the elements of a vector beside each other.
                    let gradient = try gradient.strides.last == 1 ? gradient : gradient.contiguous()
                    return try gradient.library.call(
                        name + "_backward",
                        [.tensor(gradient)] + parts + [
                            .tensor(result), .tensor(logSums), .double(0), .bool(isCausal), .none,
                            .none,
                        ], returning: [true, true, true])
                }
            ]
        }
    }

    /// The way back through `scaledDotProductAttention` of self as query, on any device: computes `P`
    /// anew.
    func attentionPath(_ key: Tensor, _ value: Tensor, isCausal: Bool) -> GradientPath {
        GradientPath(to: [self, key, value]) { gradient, wanted in
            let (queryForm, keyForm, valueForm) = try (self.form, key.form, value.form)
            let g = try gradient.atLeast32Bits()
            let q = try self.detached().atLeast32Bits()
            let k = try key.detached().atLeast32Bits()
            let v = try value.detached().atLeast32Bits()

            let scale = 1 / Double(q.shape.last ?? 1).squareRoot()
            var scores = try scale * q.matrixProduct(k.transposed(-2, -1))
            if isCausal { scores = try scores.hidingTheFuture() }
            let p = try scores.softmax(dimension: -1)

            let dV =
                wanted[2]
                ? try p.transposed(-2, -1).matrixProduct(g).fitted(to: valueForm) : nil
            guard wanted[0] || wanted[1] else { return [nil, nil, dV] }
            let dP = try g.matrixProduct(v.transposed(-2, -1))
            let dS = try scale * p.softmaxBackward(dP, dimension: -1)
            return [
                wanted[0] ? try dS.matrixProduct(k).fitted(to: queryForm) : nil,
                wanted[1]
                    ? try dS.transposed(-2, -1).matrixProduct(q).fitted(to: keyForm) : nil,
                dV,
            ]
        }
    }

    /// Scores that overflow 16 bits, and sums over a thousand places, are no rarity.
    private func atLeast32Bits() throws -> Tensor {
        try dtype.byteCount < 4 ? converted(to: .float32) : self
    }

    /// Scores `[…, queries, keys]` with -∞ where a query would see a key after it.
    private func hidingTheFuture() throws -> Tensor {
        let size = Array(shape.suffix(2))
        let (queries, keys) = (size[0], size[1])
        let mask = (0..<queries).flatMap { query in
            (0..<keys).map { $0 <= query ? 0 : -Float.infinity }
        }
        return try self
            + Tensor(mask, shape: size, in: library).converted(to: dtype).moved(to: device)
    }
}
