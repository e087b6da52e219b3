/// Which of the training timesteps inference visits (Lin et al., 2023, table 2).
public enum TimestepSpacing: String, Sendable, CaseIterable {
    case leading
    case trailing
    case linspace

    /// Timesteps from the noisiest to the cleanest, as diffusers' `set_timesteps` gives them.
    ///
    /// - Parameters:
    ///   - steps: 1 to `trainingSteps`.
    ///   - offset: added where spacing is leading.
    func timesteps(_ steps: Int, of trainingSteps: Int, offset: Int) -> [Int] {
        switch self {
        case .leading:
            let ratio = trainingSteps / steps
            return (0..<steps).reversed().map { $0 * ratio + offset }
        case .trailing:
            // numpy.arange(trainingSteps, 0, -ratio) computes its length first, then each value.
            let ratio = Double(trainingSteps) / Double(steps)
            let count = Int((Double(trainingSteps) / ratio).rounded(.up))
            return (0..<count).map { index in
                Int((Double(trainingSteps) - Double(index) * ratio).rounded(.toNearestOrEven)) - 1
            }
        case .linspace:
            guard steps > 1 else { return [0] }
            let step = Double(trainingSteps - 1) / Double(steps - 1)
            return (0..<steps).reversed().map { index in
                index == steps - 1
                    ? trainingSteps - 1 : Int((Double(index) * step).rounded(.toNearestOrEven))
            }
        }
    }

    /// The same, checked.
    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    func checkedTimesteps(_ steps: Int, of trainingSteps: Int, offset: Int) throws -> [Int] {
        guard (1...trainingSteps).contains(steps) else {
            throw SchedulerError.stepCount(steps, trained: trainingSteps)
        }
        let timesteps = timesteps(steps, of: trainingSteps, offset: offset)
        if let last = timesteps.max(), last >= trainingSteps {
            throw SchedulerError.offsetPastEnd(
                timestep: last, trained: trainingSteps, offset: offset)
        }
        return timesteps
    }

    /// The same for solvers that know σ between timesteps: linspace is not rounded, but float32.
    /// - Throws: as `checkedTimesteps`.
    func checkedContinuousTimesteps(
        _ steps: Int, of trainingSteps: Int, offset: Int
    ) throws -> [Double] {
        let whole = try checkedTimesteps(steps, of: trainingSteps, offset: offset)
        guard self == .linspace else { return whole.map(Double.init) }
        return SigmaSpacing.linspace(from: 0, to: Double(trainingSteps - 1), count: steps)
            .reversed().map { Double(Float($0)) }
    }
}
