extension Tensor {
    /// The way back through `scaledDotProductAttention` of self as query.
    ///
    /// The probabilities `P = softmax(Q Kᵀ / √d)` are computed anew rather than kept, as in
    /// FlashAttention (Dao et al., 2022, section 3.1): kept, those of every layer would be the
    /// largest part of the memory.
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
