import Checkpoints
import Torch

extension InitialWeights {
    /// Those of a `CLIPTextModel` as transformers begins with them (Radford et al., 2021, section 2.5).
    ///
    /// The other models here begin with their layers' own, `InitialWeights(seed:in:)`.
    /// - Parameters:
    ///   - configuration: of the model.
    ///   - seed: of all tensors.
    ///   - library: that they are of.
    public convenience init(
        of configuration: CLIPTextConfiguration, seed: UInt32, in library: LibTorch
    ) {
        let width = 1 / Double(configuration.hiddenSize).squareRoot()
        let depth = 1 / Double(2 * configuration.numHiddenLayers).squareRoot()
        self.init(seed: seed, in: library) { name, shape, _ in
            guard shape.count > 1 else {
                return .constant(name.hasSuffix("bias") ? 0 : 1)
            }
            // "…self_attn.q_proj.weight"
            switch name.split(separator: ".").dropLast().last {
            case "token_embedding", "position_embedding": return .normal(deviation: 0.02)
            case "out_proj": return .normal(deviation: width)
            case "fc1": return .normal(deviation: width / 2.0.squareRoot())
            // What goes into the residual path is the smaller, the more layers there are.
            default: return .normal(deviation: width * depth)
            }
        }
    }
}
