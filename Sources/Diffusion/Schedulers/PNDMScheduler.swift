import Torch

/// Pseudo numerical methods for diffusion models (Liu, Ren, Lin and Zhao, 2022): F-PNDM, a linear
/// multistep method (PLMS) after three steps of Runge and Kutta's (PRK), or after none. Answers to
/// diffusers' `PNDMScheduler`.
///
/// A PRK step calls the model four times. Without PRK steps, the first PLMS step is taken twice, the
/// second time with the mean of both predictions, so that its timestep is visited twice.
///
/// Which method a step uses goes by the number of steps taken in this run, not by the timestep, so
/// that a run which begins in the middle warms up there.
public struct PNDMScheduler: Scheduler {
    public static let name = "PNDMScheduler"

    public let configuration: PNDMConfiguration
    public private(set) var timesteps: [Double]
    public let initialNoiseSigma = 1.0
    private let alphasCumprod: [Float]
    private var run: Run?

    /// A run under way.
    private struct Run {
        /// From one timestep to the next.
        let stride: Int
        /// The timesteps of PRK, four for each of its steps; the first ones of the run.
        let rungeKutta: [Int]
        var stepsTaken = 0
        /// e_t, e_{t+δ}, … of the last four timesteps, the newest last.
        var epsilons: [Tensor] = []
        /// The sample that the step under way began with.
        var start: Tensor?
        /// The sum that becomes e' of eq. 13.
        var sum: Tensor?
    }

    public init(_ settings: SchedulerSettings) throws {
        self.init(try PNDMConfiguration(settings))
    }

    public init(_ configuration: PNDMConfiguration) {
        self.configuration = configuration
        alphasCumprod = configuration.training.schedule().alphasCumprod
        timesteps = alphasCumprod.indices.reversed().map(Double.init)
    }

    public var settings: SchedulerSettings { configuration.settings(named: Self.name) }

    /// Starts a run. It calls the model once more than `steps`; with PRK steps nine times more.
    /// - Throws: `SchedulerError` if there are fewer steps than one (with PRK steps: than four) or
    ///   more than training had, or if the offset moves one past the last training timestep.
    public mutating func setTimesteps(_ steps: Int) throws {
        let visited = try configuration.timestepSpacing.checkedTimesteps(
            steps, of: alphasCumprod.count, offset: configuration.stepsOffset)
        let stride = alphasCumprod.count / steps
        if configuration.skipPRKSteps {
            // The second timestep twice.
            run = Run(stride: stride, rungeKutta: [])
            timesteps = (visited.prefix(2) + visited.dropFirst()).map(Double.init)
            return
        }
        guard steps >= 4 else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "run in \(steps) steps",
                instead: "Use 4 or more, or set skip_prk_steps to true.")
        }
        let rungeKutta = (0..<3).flatMap { step in
            let (start, end) = (visited[step], visited[step + 1])
            let middle = end + stride / 2
            return [start, middle, middle, end]
        }
        run = Run(stride: stride, rungeKutta: rungeKutta)
        timesteps = (rungeKutta + visited.dropFirst(3)).map(Double.init)
    }

    public func shares(at timestep: Double) throws -> NoiseShares {
        NoiseShares(alphaCumprod: try alphaCumprod(at: timestep))
    }

    public mutating func step(
        _ prediction: Tensor, at index: Int, sample: Tensor, randomness: StepRandomness
    ) throws -> SchedulerStep {
        let timestep = Int(try timestep(at: index))
        guard var run else {
            throw SchedulerError.cannot(
                scheduler: Self.name, task: "step before a run", instead: "Call setTimesteps.")
        }
        let previous =
            run.stepsTaken < run.rungeKutta.count
            ? try rungeKuttaStep(prediction, at: timestep, sample: sample, run: &run)
            : try multistep(prediction, at: timestep, sample: sample, run: &run)
        run.stepsTaken += 1
        self.run = run
        return SchedulerStep(previous: previous)
    }

    /// A quarter of a step of Runge and Kutta (eq. 13).
    private func rungeKuttaStep(
        _ prediction: Tensor, at timestep: Int, sample: Tensor, run: inout Run
    ) throws -> Tensor {
        let quarter = run.stepsTaken % 4
        let start = run.rungeKutta[run.stepsTaken - quarter]
        // Quarters 0 and 2 end half a step from the timestep they look at, the others at it.
        let end = quarter.isMultiple(of: 2) ? timestep - run.stride / 2 : timestep
        var epsilon = prediction
        switch quarter {
        case 0:
            run.sum = try 1 / 6 * prediction
            run.epsilons.append(prediction)
            run.start = sample
        case 1, 2:
            run.sum = try run.sum.map { try $0 + 1 / 3 * prediction }
        default:
            epsilon = try run.sum.map { try $0 + 1 / 6 * prediction } ?? prediction
            run.sum = nil
        }
        return try transferred(run.start ?? sample, from: start, to: end, along: epsilon)
    }

    /// A step of the linear multistep method (eq. 12), of lower order as long as there are fewer
    /// than four predictions.
    private func multistep(
        _ prediction: Tensor, at timestep: Int, sample: Tensor, run: inout Run
    ) throws -> Tensor {
        // The first step once more, now with the prediction at its end.
        if run.stepsTaken == 1, let first = run.epsilons.last, let start = run.start {
            run.start = nil
            return try transferred(
                start, from: timestep + run.stride, to: timestep, along: (prediction + first) / 2)
        }
        run.epsilons = run.epsilons.suffix(3) + [prediction]
        if run.stepsTaken == 0 { run.start = sample }
        return try transferred(
            sample, from: timestep, to: timestep - run.stride, along: combined(run.epsilons))
    }

    /// Adams and Bashforth's combination of the last predictions, the newest last.
    private func combined(_ epsilons: [Tensor]) throws -> Tensor {
        let e = Array(epsilons.reversed())
        switch e.count {
        case 1: return e[0]
        case 2: return try (3 * e[0] - e[1]) / 2
        case 3: return try (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12
        default: return try (1 / 24) * (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3])
        }
    }

    /// φ, the transfer from x_t to x_{t-δ} (eq. 11).
    private func transferred(
        _ sample: Tensor, from timestep: Int, to previous: Int, along prediction: Tensor
    ) throws -> Tensor {
        let alpha = try alphaCumprod(at: Double(timestep))
        let previousAlpha =
            previous >= 0
            ? try alphaCumprod(at: Double(previous))
            : (configuration.setAlphaToOne ? 1 : try alphaCumprod(at: 0))
        let epsilon = try configuration.predictionType.epsilon(
            from: prediction, sample: sample, shares: NoiseShares(alphaCumprod: alpha))
        let denominator =
            alpha * (1 - previousAlpha).squareRoot()
            + (alpha * (1 - alpha) * previousAlpha).squareRoot()
        return try Double((previousAlpha / alpha).squareRoot()) * sample
            - (Double(previousAlpha - alpha) * epsilon) / Double(denominator)
    }

    private func alphaCumprod(at timestep: Double) throws -> Float {
        guard let index = Int(exactly: timestep), alphasCumprod.indices.contains(index) else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        return alphasCumprod[index]
    }
}
