import Torch

/// The tensors that one model was built from, by their names: what training changes.
///
///     let parameters = Parameters()
///     let model = try UNet2DConditionModel(
///         Weights(source, keepingIn: parameters), configuration: configuration, in: library)
///     let (loss, gradients) = try withGradients(of: parameters.tensors) { … }
///
/// Each is a copy in memory of its own, never the mapped file, so that an optimiser may write to it
/// and the model sees the change.
public final class Parameters {
    /// Every tensor given so far. A model that builds its parts when it first uses them must have
    /// built them for its tensors to be here.
    public private(set) var tensors: [String: Tensor] = [:]

    public init() {}

    /// The tensor to be given under that name. One that is asked for again is the same.
    func keep(_ tensor: Tensor, as name: String) throws -> Tensor {
        if let kept = tensors[name] { return kept }
        let copy = try tensor.cloned()
        tensors[name] = copy
        return copy
    }
}
