/// The mean of the gradients of several small batches: that of one large batch, for which there is not
/// the memory.
///
///     let accumulation = GradientAccumulation()
///     for batch in batches {
///         try accumulation.add(withGradients(of: parameters) { … }.gradients)
///     }
///     try optimizer.step(accumulation.take())
///
/// Of gradients of 16 bits the mean is in float32.
public final class GradientAccumulation {
    private var means: [String: Tensor] = [:]
    private var weight = 0.0

    public init() {}

    /// Takes in the gradients of a batch.
    ///
    /// - Parameters:
    ///   - gradients: by the parameters' names, each of the same shape every time. One that is missing
    ///     counts as 0.
    ///   - weight: how much the batch counts beside the others, above 0: the number of its pictures where
    ///     that varies.
    /// - Throws: `TorchError.invalidArgument` for another weight, or a gradient of another shape than
    ///   before; nothing is changed then.
    public func add(_ gradients: [String: Tensor], weight: Double = 1) throws {
        guard weight > 0, weight.isFinite else {
            throw TorchError.invalidArgument("A batch of the weight \(weight) cannot be averaged.")
        }
        for (name, gradient) in gradients {
            guard let mean = means[name], mean.shape != gradient.shape else { continue }
            throw TorchError.invalidArgument(
                "The gradient of \"\(name)\" is of shape \(gradient.shape), and was of \(mean.shape)."
            )
        }
        let part = weight / (self.weight + weight)
        for name in Set(means.keys).union(gradients.keys) {
            if let mean = means[name] {
                let gradient = try gradients[name] ?? .zeros(like: mean)
                try mean.approach(
                    gradient.converted(to: mean.dtype).moved(to: mean.device), by: part)
            } else if let gradient = gradients[name] {
                // Memory of its own: one gradient may stand under two names.
                means[name] = try part < 1 ? part * gradient.preciseCopy() : gradient.preciseCopy()
            }
        }
        self.weight += weight
    }

    /// The means, by the parameters' names. Begins anew.
    public func take() -> [String: Tensor] {
        defer { (means, weight) = ([:], 0) }
        return means
    }
}
