import Torch

/// UniPC, a unified predictor-corrector (Zhao, Bai, Rao, Zhou and Lu, 2023). Answers to diffusers'
/// `UniPCMultistepScheduler`.
///
/// The model's prediction at a timestep serves twice: it corrects the sample that came there, then
/// predicts the next.
public struct UniPCMultistepScheduler: Scheduler {
    public static let name = "UniPCMultistepScheduler"

    public let configuration: UniPCMultistepConfiguration
    public let initialNoiseSigma = 1.0
    private let schedule: SigmaSchedule
    private var levels: MultistepLevels?
    /// What the last steps saw, the newest last: the level, and x_0 or ε there.
    private var history: [(level: NoiseLevel, output: Tensor)] = []
    /// What the last step began with, and its order.
    private var last: (sample: Tensor, order: Int)?

    public init(_ settings: SchedulerSettings) throws {
        self.init(try UniPCMultistepConfiguration(settings))
    }

    public init(_ configuration: UniPCMultistepConfiguration) {
        self.configuration = configuration
        schedule = configuration.noise.schedule
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }

    public var timesteps: [Double] {
        levels?.timesteps ?? schedule.sigmas.indices.reversed().map(Double.init)
    }

    public var sigmas: [Double] {
        levels?.sigmas ?? schedule.sigmas.reversed().map(Double.init) + [0]
    }

    // MARK: - Timesteps

    /// - Throws: `SchedulerError` if there are fewer steps than one or more than training had, or if
    ///   the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        let noise = configuration.noise
        let visited = try noise.checkedTimesteps(steps, upTo: schedule.sigmas.count)
            .map(Double.init)
        let (timesteps, sigmas) = spaced(visited)
        // Levels of training end in training's smallest, spaced ones in their own.
        let isOfTraining = noise.sigmaSpacing == .ofTimesteps && !noise.isFlow
        let smallest = isOfTraining ? schedule.sigmas.first.map(Double.init) : sigmas.last
        levels = MultistepLevels(
            timesteps: timesteps, sigmas: sigmas,
            last: noise.finalSigma == .zero ? 0 : smallest ?? 0)
        history = []
        last = nil
    }

    /// The levels of timesteps, or as many levels that are spaced otherwise.
    private func spaced(_ visited: [Double]) -> (timesteps: [Double], sigmas: [Double]) {
        let noise = configuration.noise
        let trained = Double(noise.training.steps)
        if noise.sigmaSpacing != .ofTimesteps {
            guard let smallest = schedule.sigmas.first, let largest = schedule.sigmas.last else {
                return ([], [])
            }
            let sigmas = noise.sigmaSpacing.sigmas(
                from: configuration.sigmaMax ?? Double(largest),
                to: configuration.sigmaMin ?? Double(smallest), count: visited.count)
            if noise.isFlow {
                let shares = sigmas.map { $0 / ($0 + 1) }
                return (shares.map { $0 * trained }, shares)
            }
            let timesteps = sigmas.map(schedule.timestep(of:))
            // The reference rounds for this one, and cuts for the others.
            return noise.sigmaSpacing == .karras
                ? (timesteps.map { $0.rounded(.toNearestOrEven) }, sigmas) : (timesteps, sigmas)
        }
        guard noise.isFlow else { return (visited, visited.map(schedule.sigma(at:))) }
        var sigmas = SigmaSpacing.flowSigmas(
            from: 1, to: 1 / trained, count: visited.count, shift: noise.flowShift)
        if let terminal = configuration.shiftTerminal, let cleanest = sigmas.last, cleanest < 1 {
            let stretch = (1 - cleanest) / (1 - terminal)
            sigmas = sigmas.map { 1 - (1 - $0) / stretch }
        }
        // λ of pure noise is infinite.
        if let first = sigmas.first, (first - 1).magnitude < 1e-6 { sigmas[0] = first - 1e-6 }
        return (sigmas.map { $0 * trained }, sigmas)
    }

    public func shares(at timestep: Double) throws -> NoiseShares {
        try configuration.noise.shares(at: timestep, of: levels, otherwise: schedule)
    }

    // MARK: - Steps

    /// Corrects the sample with the prediction at it, then predicts the next one.
    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        _ = try timestep(at: index)
        guard let levels else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "step before a run", instead: "Call setTimesteps.")
        }
        let start = configuration.noise.level(of: levels.sigmas[index])
        let end = configuration.noise.level(of: levels.sigmas[index + 1])
        let output = try converted(prediction, sample: sample, at: start)
        var sample = sample
        if let last, !configuration.disabledCorrector.contains(index - 1) {
            sample = try corrected(sample, by: output, at: start, after: last)
        }
        history = history.suffix(configuration.solverOrder - 1) + [(start, output)]

        let highest =
            configuration.lowerOrderFinal
            ? min(configuration.solverOrder, levels.timesteps.count - index)
            : configuration.solverOrder
        let order = min(highest, history.count)
        last = (sample, order)
        return SchedulerStep(
            previous: try predicted(from: sample, to: end, order: order),
            clean: configuration.predictsClean ? output : nil)
    }

    /// UniP: the sample at the next level (eq. 9).
    private func predicted(from sample: Tensor, to end: NoiseLevel, order: Int) throws -> Tensor {
        guard let (start, newest) = history.last else { return sample }
        let differences = try differences(towards: end, order: order)
        let update = update(from: start, to: end)
        return try sum(
            update, sample: sample, output: newest,
            weights: update.predictor(distances: differences.map(\.distance)),
            differences: differences.map(\.value))
    }

    /// UniC: the same step once more, now knowing the prediction where it ends (eq. 3).
    private func corrected(
        _ sample: Tensor, by output: Tensor, at end: NoiseLevel,
        after last: (sample: Tensor, order: Int)
    ) throws -> Tensor {
        // A level that was visited twice: there is nothing to correct.
        guard let (start, newest) = history.last, end.lambda > start.lambda else { return sample }
        let differences =
            try differences(towards: end, order: last.order) + [(1, try output - newest)]
        let update = update(from: start, to: end)
        return try sum(
            update, sample: last.sample, output: newest,
            weights: update.corrector(distances: differences.map(\.distance)),
            differences: differences.map(\.value))
    }

    private func update(from start: NoiseLevel, to end: NoiseLevel) -> UniPCUpdate {
        UniPCUpdate(
            from: start, to: end, predictsClean: configuration.predictsClean,
            type: configuration.solverType)
    }

    /// r_k and (m_k - m_0) / r_k of earlier predictions, as many as the order wants and have levels of
    /// their own; none where the step has no length, or no end.
    private func differences(
        towards end: NoiseLevel, order: Int
    ) throws -> [(distance: Float, value: Tensor)] {
        guard let (start, newest) = history.last else { return [] }
        let h = end.lambda - start.lambda
        guard h > 0, h.isFinite else { return [] }
        var nearest: Float = 0
        var differences: [(distance: Float, value: Tensor)] = []
        for (level, output) in history.dropLast().suffix(max(order - 1, 0)).reversed() {
            let distance = (level.lambda - start.lambda) / h
            guard distance < nearest else { continue }
            nearest = distance
            differences.append((distance, try (output - newest) / Double(distance)))
        }
        return differences
    }

    private func sum(
        _ update: UniPCUpdate, sample: Tensor, output: Tensor, weights: [Float],
        differences: [Tensor]
    ) throws -> Tensor {
        var sum = try Double(update.sample) * sample + Double(update.output) * output
        for (weight, difference) in zip(weights, differences) {
            sum = try sum + Double(update.scale * weight) * difference
        }
        return try sum.converted(to: sample.dtype)
    }

    /// What the solver works with: x_0, or ε.
    private func converted(
        _ prediction: Tensor, sample: Tensor, at level: NoiseLevel
    ) throws -> Tensor {
        let type = configuration.noise.predictionType
        guard configuration.predictsClean else {
            return try type.epsilon(from: prediction, sample: sample, at: level)
        }
        let clean = try type.clean(from: prediction, sample: sample, at: level)
        return configuration.thresholding.isOn ? try configuration.thresholding(clean) : clean
    }
}
