/// How a `DPMSolverMultistepScheduler` is set up, with its own defaults for keys that a file does not
/// have.
public struct DPMSolverMultistepConfiguration: SchedulerConfiguration {
    /// Which equation is solved, for which prediction.
    public enum Algorithm: Sendable, CaseIterable, RawRepresentable {
        /// The ODE, for the noise (Lu et al., 2022a).
        case dpmSolver
        /// The ODE, for the clean sample (Lu et al., 2022b).
        case dpmSolverPlusPlus
        /// The SDE, for the noise.
        case sdeDPMSolver
        /// The SDE, for the clean sample.
        case sdeDPMSolverPlusPlus

        /// As diffusers does, takes DEIS, another solver's algorithm, for DPM-Solver++.
        public init?(rawValue: String) {
            let name = rawValue == "deis" ? Self.dpmSolverPlusPlus.rawValue : rawValue
            guard let algorithm = Self.allCases.first(where: { $0.rawValue == name }) else {
                return nil
            }
            self = algorithm
        }

        public var rawValue: String {
            switch self {
            case .dpmSolver: "dpmsolver"
            case .dpmSolverPlusPlus: "dpmsolver++"
            case .sdeDPMSolver: "sde-dpmsolver"
            case .sdeDPMSolverPlusPlus: "sde-dpmsolver++"
            }
        }

        var predictsClean: Bool { self == .dpmSolverPlusPlus || self == .sdeDPMSolverPlusPlus }
        var isStochastic: Bool { self == .sdeDPMSolver || self == .sdeDPMSolverPlusPlus }
    }

    /// How a step of second order weighs the first derivative.
    public enum SolverType: String, Sendable, CaseIterable {
        case midpoint
        case heun

        /// As diffusers does, takes the types of UniPC and DEIS for `midpoint`.
        public init?(rawValue: String) {
            switch rawValue {
            case "midpoint", "logrho", "bh1", "bh2": self = .midpoint
            case "heun": self = .heun
            default: return nil
            }
        }
    }

    public var noise = MultistepNoise()
    /// 1, 2 or 3.
    public var solverOrder = 2
    public var thresholding = DynamicThresholding()
    public var algorithm = Algorithm.dpmSolverPlusPlus
    public var solverType = SolverType.midpoint
    /// Whether the last steps of runs under 15 steps are of lower order.
    public var lowerOrderFinal = true
    /// Whether the last step of any run is of first order.
    public var eulerAtFinal = false
    /// Whether a run's levels are at equal distances of λ (Lu et al., 2022a, section 3.4).
    public var usesLuLambdas = false
    /// Training timesteps whose λ lies below are left out.
    public var lambdaMinClipped = -Double.infinity
    /// Set for a model that predicts a variance, which is cut off where it is learned.
    public var variance: DDPMConfiguration.Variance?
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try noise.exchange(&keys)
        try keys.exchange("solver_order", &solverOrder, within: 1...3)
        try thresholding.exchange(&keys)
        try keys.exchange("algorithm_type", &algorithm)
        try keys.exchange("solver_type", &solverType)
        try keys.exchange("lower_order_final", &lowerOrderFinal)
        try keys.exchange("euler_at_final", &eulerAtFinal)
        try keys.exchange("use_lu_lambdas", &usesLuLambdas)
        try keys.exchange(
            "lambda_min_clipped", &lambdaMinClipped,
            within: -Double.infinity...Double.greatestFiniteMagnitude)
        try keys.exchange("variance_type", &variance)
    }

    public func check(_ keys: SchedulerKeys) throws {
        try noise.check(keys)
        guard algorithm.predictsClean || noise.finalSigma == .sigmaMin else {
            throw keys.unsupported(
                "final_sigmas_type", "\"zero\" with \"\(algorithm.rawValue)\"", "\"sigma_min\"")
        }
        guard algorithm.predictsClean || noise.predictionType != .flow else {
            throw keys.unsupported(
                "algorithm_type", "\"\(algorithm.rawValue)\" for a flow",
                "\"dpmsolver++\" or \"sde-dpmsolver++\"")
        }
        guard algorithm != .sdeDPMSolver || solverOrder < 3 else {
            throw keys.unsupported("solver_order", "3 with \"sde-dpmsolver\"", "1 or 2")
        }
        let spacings = [noise.sigmaSpacing != .ofTimesteps, usesLuLambdas, noise.isFlow]
        guard spacings.filter({ $0 }).count < 2 else {
            throw keys.unsupported(
                noise.isFlow ? "use_flow_sigmas" : "use_lu_lambdas", "true beside another spacing",
                "the only one of \"use_karras_sigmas\", \"use_exponential_sigmas\", "
                    + "\"use_beta_sigmas\", \"use_lu_lambdas\", \"use_flow_sigmas\"")
        }
    }
}
