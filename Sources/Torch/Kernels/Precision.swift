/// How float32 is computed on a CPU.
public enum Precision: Sendable {
    /// By libtorch's own operators alone: the numbers of PyTorch on the same machine.
    case exact
    /// By kernels of this package where they apply, which are several times faster. Their results are about
    /// as close to the true ones as libtorch's, but not bit for bit the same.
    case `default`
}
