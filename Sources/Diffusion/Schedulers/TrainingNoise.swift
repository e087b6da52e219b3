/// The part of a scheduler's configuration that says how much noise training had at each timestep.
public struct TrainingNoise: Equatable, Sendable {
    /// Number of training timesteps.
    public var steps = 1000
    public var betaStart = 0.0001
    public var betaEnd = 0.02
    public var betaSchedule = NoiseSchedule.BetaSchedule.linear
    /// β for each timestep, instead of a schedule.
    public var trainedBetas: [Double]?

    public init() {}

    mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try keys.exchange("num_train_timesteps", &steps, within: 1...100_000)
        try keys.exchange("beta_start", &betaStart, within: 0...1)
        try keys.exchange("beta_end", &betaEnd, within: 0...1)
        try keys.exchange("beta_schedule", &betaSchedule)
        try keys.exchange("trained_betas", &trainedBetas)
    }

    func check(_ keys: SchedulerKeys) throws {
        guard trainedBetas.map({ $0.count == steps }) ?? true else {
            throw keys.unsupported(
                "trained_betas", "a list of \(trainedBetas?.count ?? 0)",
                "num_train_timesteps (\(steps)) numbers")
        }
    }

    /// ᾱ_t for each timestep.
    ///
    /// - Parameter rescaledToZeroSNR: whether the last timestep is made pure noise (Lin et al., 2023).
    func schedule(rescaledToZeroSNR: Bool = false) -> NoiseSchedule {
        NoiseSchedule(
            betas: trainedBetas.map { $0.map(Float.init) }
                ?? NoiseSchedule.betas(betaSchedule, from: betaStart, to: betaEnd, count: steps),
            rescaledToZeroSNR: rescaledToZeroSNR)
    }
}
