import Glibc
import Torch

/// DPM-Solver and DPM-Solver++ with several steps' predictions (Lu et al., 2022a, "DPM-Solver: A Fast
/// ODE Solver …", and 2022b, "DPM-Solver++: Fast Solver for Guided Sampling …"), for the ODE or the SDE.
/// Answers to diffusers' `DPMSolverMultistepScheduler`.
public struct DPMSolverMultistepScheduler: CustomTimestepsScheduler {
    public static let name = "DPMSolverMultistepScheduler"

    public let configuration: DPMSolverMultistepConfiguration
    public let initialNoiseSigma = 1.0
    private let schedule: SigmaSchedule
    private var levels: MultistepLevels?
    /// What the last steps saw, the newest last: the level, and x_0 or ε there.
    private var history: [(level: NoiseLevel, output: Tensor)] = []

    public init(_ settings: SchedulerSettings) throws {
        self.init(try DPMSolverMultistepConfiguration(settings))
    }

    public init(_ configuration: DPMSolverMultistepConfiguration) {
        self.configuration = configuration
        schedule = configuration.noise.schedule
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }

    public var timesteps: [Double] {
        levels?.timesteps ?? schedule.sigmas.indices.reversed().map(Double.init)
    }

    public var sigmas: [Double] {
        levels?.sigmas ?? schedule.sigmas.reversed().map(Double.init) + [lastSigma]
    }

    /// σ after the last step.
    private var lastSigma: Double {
        configuration.noise.finalSigma == .zero ? 0 : schedule.sigmas.first.map(Double.init) ?? 0
    }

    // MARK: - Timesteps

    /// - Throws: `SchedulerError` if there are fewer steps than one, more than training had or than
    ///   are left above `lambdaMinClipped`, or if the offset moves one past the last timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        // λ falls with the timestep.
        let clipped = schedule.alphasCumprod.filter { alphaCumprod in
            let lambda = logf(alphaCumprod.squareRoot()) - logf((1 - alphaCumprod).squareRoot())
            return lambda < Float(configuration.lambdaMinClipped)
        }.count
        let visited = try configuration.noise.checkedTimesteps(
            steps, upTo: schedule.sigmas.count - clipped
        ).map(Double.init)
        begin(spaced(visited))
    }

    public mutating func setTimesteps(to timesteps: [Double]) throws {
        let noise = configuration.noise
        guard noise.sigmaSpacing == .ofTimesteps, !configuration.usesLuLambdas, !noise.isFlow else {
            throw SchedulerError.cannot(
                scheduler: Self.name,
                task: "visit chosen timesteps where the configuration spaces noise levels",
                instead: "Turn that off in the scheduler's configuration.")
        }
        begin(spaced(try checkedFalling(custom: timesteps, trained: schedule.sigmas.count)))
    }

    private mutating func begin(_ run: (timesteps: [Double], sigmas: [Double])) {
        levels = MultistepLevels(
            timesteps: run.timesteps, sigmas: run.sigmas, last: lastSigma)
        history = []
    }

    /// The levels of timesteps, or as many levels that are spaced otherwise.
    private func spaced(_ visited: [Double]) -> (timesteps: [Double], sigmas: [Double]) {
        let noise = configuration.noise
        let count = visited.count
        guard let smallest = schedule.sigmas.first, let largest = schedule.sigmas.last else {
            return ([], [])
        }
        if noise.isFlow {
            // 1 - α rather than σ, since the model is given the whole part of a thousand times σ.
            let sigmas = SigmaSpacing.linspace(
                from: 1, to: 1 / Double(noise.training.steps), count: count + 1
            ).map { alpha in
                noise.flowShift * (1 - alpha) / (1 + (noise.flowShift - 1) * (1 - alpha))
            }.reversed().dropLast()
            return (sigmas.map { $0 * Double(noise.training.steps) }, Array(sigmas))
        }
        let sigmas: [Double]
        if configuration.usesLuLambdas {
            let (first, last) = (Double(logf(largest)), Double(logf(smallest)))
            sigmas = SigmaSpacing.linspace(from: 0, to: 1, count: count).map { ramp in
                exp(first + ramp * (last - first))
            }
        } else if noise.sigmaSpacing != .ofTimesteps {
            sigmas = noise.sigmaSpacing.sigmas(
                from: Double(largest), to: Double(smallest), count: count)
        } else {
            return (visited, visited.map(schedule.sigma(at:)))
        }
        // The reference rounds for these two, and cuts for the others.
        let isRounded =
            (noise.sigmaSpacing == .karras || configuration.usesLuLambdas)
            && noise.training.betaSchedule != .squaredCosine
        let timesteps = sigmas.map(schedule.timestep(of:))
        return (isRounded ? timesteps.map { $0.rounded(.toNearestOrEven) } : timesteps, sigmas)
    }

    public func shares(at timestep: Double) throws -> NoiseShares {
        try configuration.noise.shares(at: timestep, of: levels, otherwise: schedule)
    }

    // MARK: - Steps

    /// One step of the highest order that there are predictions for. The SDE draws noise at each.
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
        history = history.suffix(configuration.solverOrder - 1) + [(start, output)]

        // In float32, whatever the model computes in.
        let wide = try sample.converted(to: .float32)
        let derivatives = try derivatives(
            order: order(at: index, of: levels.timesteps.count), step: end.lambda - start.lambda)
        let update = DPMSolverUpdate(
            from: start, to: end, algorithm: configuration.algorithm,
            isMidpoint: derivatives.count == 2 && configuration.solverType == .midpoint)
        var previous = try Double(update.sample) * wide
        for (weight, derivative) in zip(update.derivatives, derivatives) {
            previous = try previous + Double(weight) * derivative
        }
        if configuration.algorithm.isStochastic {
            let noise = try randomness.noise(output.converted(to: .float32))
            previous = try previous + Double(update.noise) * noise
        }
        return SchedulerStep(
            previous: try previous.converted(to: output.dtype),
            clean: configuration.algorithm.predictsClean ? output : nil)
    }

    /// What the solver works with: x_0 for DPM-Solver++, ε for DPM-Solver.
    private func converted(
        _ prediction: Tensor, sample: Tensor, at level: NoiseLevel
    ) throws -> Tensor {
        var prediction = prediction
        if configuration.variance?.isLearned ?? false, prediction.shape.count > 1,
            sample.shape.count > 1,
            prediction.shape[1] > sample.shape[1]
        {
            prediction = try prediction.narrowed(
                dimension: 1, start: 0, length: sample.shape[1])
        }
        let type = configuration.noise.predictionType
        if configuration.algorithm.predictsClean {
            let clean = try type.clean(from: prediction, sample: sample, at: level)
            return configuration.thresholding.isOn ? try configuration.thresholding(clean) : clean
        }
        let epsilon = try type.epsilon(from: prediction, sample: sample, at: level)
        guard configuration.thresholding.isOn else { return epsilon }
        let clean = try configuration.thresholding(
            level.shares.clean(of: sample, epsilon: epsilon))
        return try level.shares.epsilon(of: sample, clean: clean)
    }

    /// 1 to `solverOrder`: lower at the first steps, and at the last ones where that is steadier.
    private func order(at index: Int, of count: Int) -> Int {
        let isShort = configuration.lowerOrderFinal && count < 15
        if index == count - 1,
            configuration.eulerAtFinal || isShort || configuration.noise.finalSigma == .zero
        {
            return 1
        }
        return min(history.count, index == count - 2 && isShort ? 2 : configuration.solverOrder)
    }

    /// D_0, D_1 and D_2 as far as the order wants them: finite differences of the last predictions.
    ///
    /// Where a level was visited twice, there is no difference to divide by; such steps are of lower
    /// order.
    /// - Parameter h: λ_t - λ_s of the step.
    private func derivatives(order: Int, step h: Float) throws -> [Tensor] {
        let newest = Array(history.reversed())
        let (s0, m0) = newest[0]
        guard order > 1, newest.count > 1, h > 0 else { return [m0] }
        let (s1, m1) = newest[1]
        let r0 = (s0.lambda - s1.lambda) / h
        guard r0 > 0 else { return [m0] }
        let d10 = try Double(1 / r0) * (m0 - m1)
        guard order > 2, newest.count > 2 else { return [m0, d10] }
        let (s2, m2) = newest[2]
        let r1 = (s1.lambda - s2.lambda) / h
        guard r1 > 0 else { return [m0, d10] }
        let d11 = try Double(1 / r1) * (m1 - m2)
        let difference = try d10 - d11
        return [
            m0, try d10 + Double(r0 / (r0 + r1)) * difference,
            try Double(1 / (r0 + r1)) * difference,
        ]
    }
}
