import Diffusion
import Torch

/// Where a run of the reverse process starts.
public enum DenoisingStart {
    /// At the first timestep, from standard normal noise, which is scaled for it.
    case noise
    /// At timestep number `index`, from a sample that has its share of noise, or is given it here.
    case step(_ index: Int, adding: Tensor? = nil)

    /// The sample with the noise of the first timestep that is run, and that one's index.
    ///
    /// - Parameters:
    ///   - sample: in the dtype and on the device of the model.
    ///   - scheduler: with its timesteps set.
    /// - Throws: `PipelineError.invalidArgument` if there is no such timestep.
    func applied(to sample: Tensor, _ scheduler: any Scheduler) throws -> (Tensor, first: Int) {
        guard case .step(let index, let noise) = self else {
            return (try scheduler.initialNoiseSigma * sample, 0)
        }
        guard scheduler.timesteps.indices.contains(index) else {
            throw PipelineError.invalidArgument(
                name: "start_step",
                reason: "\(index) is not between 0 and \(scheduler.timesteps.count - 1).")
        }
        guard let noise else { return (sample, index) }
        let placed = try noise.converted(to: sample.dtype).moved(to: sample.device)
        return (
            try scheduler.addNoise(placed, to: sample, at: scheduler.timesteps[index]), index
        )
    }
}
