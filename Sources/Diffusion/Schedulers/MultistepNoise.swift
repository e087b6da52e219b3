import Glibc

/// The part of the configuration of DPM-Solver and UniPC that says which noise levels a run visits.
public struct MultistepNoise: Equatable, Sendable {
    /// σ after the last step.
    public enum FinalSigma: String, Sendable, CaseIterable {
        case zero
        /// The smallest σ of training.
        case sigmaMin = "sigma_min"
    }

    public var training = TrainingNoise()
    public var predictionType = MultistepPrediction.epsilon
    public var sigmaSpacing = SigmaSpacing.ofTimesteps
    /// Whether noise levels are those of a flow, not of training: x_t = (1 - σ) x_0 + σ ε.
    public var isFlow = false
    /// How far a flow's levels are moved towards the noise.
    public var flowShift = 1.0
    public var finalSigma = FinalSigma.zero
    public var timestepSpacing = TimestepSpacing.linspace
    public var stepsOffset = 0
    public var rescaleBetasZeroSNR = false

    public init() {}

    mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try training.exchange(&keys)
        try keys.exchange("prediction_type", &predictionType)
        try sigmaSpacing.exchange(&keys)
        try keys.exchange("use_flow_sigmas", &isFlow)
        try keys.exchange("flow_shift", &flowShift, within: 1e-3...1e6)
        try keys.exchange("final_sigmas_type", &finalSigma)
        try keys.exchange("timestep_spacing", &timestepSpacing)
        try keys.exchange("steps_offset", &stepsOffset, within: 0...training.steps - 1)
        try keys.exchange("rescale_betas_zero_snr", &rescaleBetasZeroSNR)
        var isShiftedByResolution = false
        try keys.exchange("use_dynamic_shifting", &isShiftedByResolution)
        guard !isShiftedByResolution else {
            throw keys.unsupported(
                "use_dynamic_shifting", true, "false; set \"flow_shift\" instead")
        }
    }

    func check(_ keys: SchedulerKeys) throws {
        try training.check(keys)
        guard predictionType != .flow || isFlow else {
            throw keys.unsupported(
                "prediction_type", "\"flow_prediction\" without \"use_flow_sigmas\"",
                "\"epsilon\", \"sample\", \"v_prediction\"")
        }
    }

    /// Noise levels of training.
    var schedule: SigmaSchedule {
        SigmaSchedule(training, rescaledToZeroSNR: rescaleBetasZeroSNR)
    }

    /// The level of a σ of the run.
    func level(of sigma: Double) -> NoiseLevel {
        NoiseLevel(ratio: Float(sigma), isFlow: isFlow)
    }

    /// The shares at a timestep of the run, or of training before there is one.
    /// - Throws: `SchedulerError.unknownTimestep` if there is no such timestep.
    func shares(
        at timestep: Double, of run: MultistepLevels?, otherwise schedule: SigmaSchedule
    ) throws -> NoiseShares {
        if let run { return level(of: run.sigmas[try run.index(of: timestep)]).shares }
        guard timestep >= 0, timestep < Double(schedule.sigmas.count) else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        return NoiseLevel(ratio: Float(schedule.sigma(at: timestep)), isFlow: false).shares
    }

    /// Timesteps of training for a solver whose last step ends past them: one more than `steps` are
    /// spaced, and the cleanest is left out.
    ///
    /// - Parameter last: how many training timesteps there are to choose from.
    /// - Throws: `SchedulerError` if there are fewer steps than one or more than there are timesteps,
    ///   or if the offset moves one past the last training timestep.
    func checkedTimesteps(_ steps: Int, upTo last: Int) throws -> [Int] {
        guard (1...training.steps).contains(steps) else {
            throw SchedulerError.stepCount(steps, trained: training.steps)
        }
        // Leading timesteps lie at whole distances, which must be above 0.
        let reach = timestepSpacing == .leading ? last / (steps + 1) : last
        guard reach > 0 else { throw SchedulerError.stepCount(steps, trained: max(last - 1, 0)) }
        if timestepSpacing == .trailing {
            let ratio = Double(training.steps) / Double(steps)
            return (0..<Int((Double(last) / ratio).rounded(.up))).map { index in
                Int((Double(last) - Double(index) * ratio).rounded(.toNearestOrEven)) - 1
            }
        }
        let timesteps = timestepSpacing.timesteps(steps + 1, of: last, offset: stepsOffset)
            .dropLast()
        if timestepSpacing == .leading, let first = timesteps.first, first >= training.steps {
            throw SchedulerError.offsetPastEnd(
                timestep: first, trained: training.steps, offset: stepsOffset)
        }
        return Array(timesteps)
    }
}

/// The noise levels of one run, which DPM-Solver and UniPC step through.
struct MultistepLevels: Sendable {
    let timesteps: [Double]
    /// σ at each timestep and after the last one.
    let sigmas: [Double]

    /// - Parameters:
    ///   - timesteps: one for each of `sigmas`. The model is given whole ones.
    ///   - last: σ after the last one.
    init(timesteps: [Double], sigmas: [Double], last: Double) {
        self.timesteps = timesteps.map { $0.rounded(.towardZero) }
        self.sigmas = (sigmas + [last]).map { Double(Float($0)) }
    }

    /// The place of a timestep. Where it stands twice, the second one: the reference's choice for a
    /// run that begins in the middle.
    func index(of timestep: Double) throws -> Int {
        let places = timesteps.indices.filter { timesteps[$0] == timestep }
        guard let index = places.prefix(2).last else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        return index
    }
}
