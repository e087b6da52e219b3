/// What a scheduler cannot do.
public enum SchedulerError: Error, Equatable, CustomStringConvertible {
    /// A number of inference steps below 1 or above the number of training timesteps.
    case stepCount(Int, trained: Int)
    /// A timestep past the last one of training, because of the scheduler file's `steps_offset`.
    case offsetPastEnd(timestep: Int, trained: Int, offset: Int)

    /// A place in the timesteps that there is none at.
    case noTimestep(index: Int, count: Int)
    /// A timestep that is none of those that a run visits, where only those can be asked for.
    case unknownTimestep(Double)
    /// Timesteps of the caller's choice that are none of training's, or do not fall.
    case timestepOrder(trained: Int)
    /// A name that is no scheduler's.
    case unknownScheduler(String, known: [String])
    /// What this solver cannot be used for.
    case cannot(scheduler: String, task: String, instead: String)

    public var description: String {
        switch self {
        case .stepCount(let steps, let trained):
            "num_inference_steps: \(steps) is not between 1 and the model's \(trained) training timesteps."
        case .offsetPastEnd(let timestep, let trained, let offset):
            """
            num_inference_steps: with the model's steps_offset of \(offset), timestep \(timestep) would lie \
            past the last of \(trained) training timesteps. Use fewer steps.
            """
        case .noTimestep(let index, let count):
            "There is no timestep \(index): the run has \(count) of them."
        case .unknownTimestep(let timestep):
            """
            timestep: \(timestep) is none of those that the run visits. Take one of the scheduler's \
            timesteps.
            """
        case .timestepOrder(let trained):
            "timesteps: they must fall from one to the next, between \(trained - 1) and 0."
        case .unknownScheduler(let name, let known):
            """
            scheduler: "\(name)" is not known. The schedulers here are \
            \(known.joined(separator: ", ")).
            """
        case .cannot(let scheduler, let task, let instead):
            "scheduler: \(scheduler) cannot \(task). \(instead)"
        }
    }
}
