/// How exactly a model computes.
public enum Precision: String, CaseIterable, Codable, Sendable {
    /// By libtorch's own operators alone: the numbers of PyTorch on the same machine.
    case exact
    /// By kernels of this package where they apply, which are several times faster. Rounding errors of a
    /// single layer are up to three times those of libtorch's operators with few channels and about the
    /// same with many; those of a whole autoencoder are about 2e-6 of the result instead of 1e-6.
    case `default`
    /// In bfloat16, with three significant digits.
    case reduced
}
