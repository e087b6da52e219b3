import Imaging
import Torch

/// What a model is trained for: how its loss follows from pictures, and what comes of it in the end.
///
/// The parameters are the model's own memory: an optimiser writes to them, and the model changes.
public protocol TrainingObjective {
    /// What is trained, by names; of one dtype on one device.
    var parameters: [String: Tensor] { get }

    /// All that the result depends on beside the run's settings and its pictures: the model's
    /// configuration, where its first weights came from, weights of the loss. Names as people give them.
    var facts: [String: String] { get }

    /// The loss of one micro-batch, a tensor without dimensions, computed from `parameters` by
    /// differentiable operations. Everything that it draws comes from `randomness`.
    func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor

    /// Pictures that show how far the model is.
    ///
    /// - Parameters:
    ///   - count: about how many.
    ///   - data: what is learnt from, for objectives that show what becomes of given pictures.
    ///   - seed: equal seeds draw equal noise.
    func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage]

    /// Saves the model in diffusers' layout.
    /// - Parameter folder: made, or replaced with all that is in it; it is there whole or not at all.
    func save(to folder: String) throws
}
