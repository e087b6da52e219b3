/// How exactly a model computes.
public enum Precision: String, CaseIterable, Codable, Sendable {
    /// By libtorch's own operators alone: the numbers of PyTorch on the same machine.
    case exact
    /// By kernels of this package where they apply, which are several times faster. Their results are about
    /// as close to the true ones as libtorch's, but not bit for bit the same.
    case `default`
    /// In bfloat16, with three significant digits.
    case reduced
}
