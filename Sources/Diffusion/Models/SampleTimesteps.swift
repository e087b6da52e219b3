import Torch

extension Tensor {
    /// Whether there is one timestep for each sample of a batch `[N, …]`.
    /// - Throws: `TorchError.invalidArgument` that tells both numbers.
    func checkOneEach(_ timesteps: [Int]) throws {
        guard shape.first == timesteps.count else {
            throw TorchError.invalidArgument(
                """
                timestep: there are \(timesteps.count) for samples of shape \(shape); one per \
                sample is needed.
                """)
        }
    }
}
