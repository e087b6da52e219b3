/// What a scheduler cannot do.
public enum SchedulerError: Error, Equatable, CustomStringConvertible {
    /// A number of inference steps below 1 or above the number of training timesteps.
    case stepCount(Int, trained: Int)
    /// A timestep past the last one of training, because of the scheduler file's `steps_offset`.
    case offsetPastEnd(timestep: Int, trained: Int, offset: Int)

    public var description: String {
        switch self {
        case .stepCount(let steps, let trained):
            "num_inference_steps: \(steps) is not between 1 and the model's \(trained) training timesteps."
        case .offsetPastEnd(let timestep, let trained, let offset):
            """
            num_inference_steps: with the model's steps_offset of \(offset), timestep \(timestep) would lie \
            past the last of \(trained) training timesteps. Use fewer steps.
            """
        }
    }
}
