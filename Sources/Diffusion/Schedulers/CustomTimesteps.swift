/// A solver that can visit timesteps of the caller's choice.
public protocol CustomTimestepsScheduler: Scheduler {
    /// Starts a run that visits these timesteps, one step each, without history.
    ///
    /// - Parameter timesteps: from the noisiest on, each from 0 to the last one of training.
    /// - Throws: `SchedulerError` if there are none, if one is outside, or if the configuration
    ///   chooses the timesteps by their σ.
    mutating func setTimesteps(to timesteps: [Double]) throws
}

/// A solver that can step between noise levels of the caller's choice.
public protocol CustomSigmasScheduler: Scheduler {
    /// Starts a run from each σ to the one after it, without history.
    ///
    /// - Parameter sigmas: from the noisiest on, two at least; above 0, but for the last, which is
    ///   usually 0.
    /// - Throws: `SchedulerError` if they are fewer or others.
    mutating func setSigmas(to sigmas: [Double]) throws
}

extension CustomTimestepsScheduler {
    /// The timesteps, rounded to float32 as diffusers keeps them.
    func checked(
        custom timesteps: [Double], trained: Int, spacing: SigmaSpacing
    ) throws -> [Double] {
        guard spacing == .ofTimesteps else {
            throw SchedulerError.cannot(
                scheduler: Self.name,
                task: "visit chosen timesteps with \(spacing.rawValue) spacing of sigma",
                instead: "Turn that off in the scheduler's configuration.")
        }
        let range = 0...Double(trained - 1)
        if let outside = timesteps.first(where: { !range.contains($0) }) {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "visit timestep \(outside)",
                instead: "Choose timesteps from 0 to \(trained - 1).")
        }
        guard !timesteps.isEmpty else {
            throw SchedulerError.stepCount(0, trained: trained)
        }
        return timesteps.map { Double(Float($0)) }
    }

    /// The same for solvers that step from each training timestep to an earlier one.
    /// - Throws: `SchedulerError.timestepOrder` unless there are timesteps, all of training, that fall.
    func checkedFalling(custom timesteps: [Double], trained: Int) throws -> [Double] {
        let whole = timesteps.compactMap(Int.init(exactly:))
        guard !whole.isEmpty, whole.count == timesteps.count,
            whole.allSatisfy((0..<trained).contains), zip(whole, whole.dropFirst()).allSatisfy(>)
        else { throw SchedulerError.timestepOrder(trained: trained) }
        return timesteps
    }
}

extension CustomSigmasScheduler {
    /// The σ, rounded to float32 as diffusers keeps them.
    func checked(custom sigmas: [Double]) throws -> [Double] {
        let levels = sigmas.map(Float.init)
        guard let last = levels.last, levels.count > 1, last >= 0, last.isFinite,
            levels.dropLast().allSatisfy({ $0 > 0 && $0.isFinite })
        else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "step between the sigmas \(sigmas)",
                instead: "Choose two or more; all but the last must be above 0.")
        }
        return levels.map(Double.init)
    }
}
