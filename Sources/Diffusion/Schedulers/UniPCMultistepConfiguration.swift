/// How a `UniPCMultistepScheduler` is set up, with its own defaults for keys that a file does not have.
public struct UniPCMultistepConfiguration: SchedulerConfiguration {
    /// B(h), which the weights of differences are divided by (Zhao et al., 2023, section 3.1).
    public enum SolverType: String, Sendable, CaseIterable {
        /// B(h) = h
        case bh1
        /// B(h) = e^h - 1
        case bh2

        /// As diffusers does, takes the types of DPM-Solver and DEIS for `bh2`.
        public init?(rawValue: String) {
            switch rawValue {
            case "bh1": self = .bh1
            case "bh2", "midpoint", "heun", "logrho": self = .bh2
            default: return nil
            }
        }
    }

    public var noise = MultistepNoise()
    /// p of UniPC-p, 1 to 3; the corrector's accuracy is one higher.
    public var solverOrder = 2
    public var thresholding = DynamicThresholding()
    /// Whether the equation is solved for the clean sample, rather than for the noise.
    public var predictsClean = true
    public var solverType = SolverType.bh2
    /// Whether the last steps are of lower order.
    public var lowerOrderFinal = true
    /// Steps, by index, after which the sample is not corrected.
    public var disabledCorrector: Set<Int> = []
    /// Instead of training's smallest σ, where σ are spaced.
    public var sigmaMin: Double?
    /// Instead of training's largest σ, where σ are spaced.
    public var sigmaMax: Double?
    /// What a flow's last σ is stretched to.
    public var shiftTerminal: Double?
    public var given: [String: SchedulerSettings.Value] = [:]

    public init() {}

    public mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try noise.exchange(&keys)
        try keys.exchange("solver_order", &solverOrder, within: 1...3)
        try thresholding.exchange(&keys)
        try keys.exchange("predict_x0", &predictsClean)
        try keys.exchange("solver_type", &solverType)
        try keys.exchange("lower_order_final", &lowerOrderFinal)
        try exchangeDisabledCorrector(&keys)
        try keys.exchange("sigma_min", &sigmaMin, within: 1e-6...1e6)
        try keys.exchange("sigma_max", &sigmaMax, within: 1e-6...1e6)
        try keys.exchange("shift_terminal", &shiftTerminal, within: 1e-6...0.999)
    }

    private mutating func exchangeDisabledCorrector(_ keys: inout SchedulerKeys) throws {
        var steps: [Double]? = disabledCorrector.sorted().map(Double.init)
        try keys.exchange("disable_corrector", &steps)
        disabledCorrector = Set(
            try (steps ?? []).map { step in
                guard let index = Int(exactly: step) else {
                    throw keys.unsupported("disable_corrector", step, "a list of whole numbers")
                }
                return index
            })
    }

    public func check(_ keys: SchedulerKeys) throws {
        try noise.check(keys)
        guard keys.settings.values["solver_p"] ?? .null == .null else {
            throw keys.unsupported("solver_p", "another solver", "null: UniP itself predicts")
        }
        let isSpaced = noise.sigmaSpacing != .ofTimesteps
        guard !noise.isFlow || !isSpaced || noise.sigmaSpacing == .karras else {
            throw keys.unsupported(
                "use_flow_sigmas", "true beside another spacing",
                "alone, or with \"use_karras_sigmas\"")
        }
        guard shiftTerminal == nil || noise.isFlow && !isSpaced else {
            throw keys.unsupported(
                "shift_terminal", "set", "null unless \"use_flow_sigmas\" is true, and alone")
        }
        if let sigmaMin, let sigmaMax, sigmaMin >= sigmaMax {
            throw keys.unsupported("sigma_min", sigmaMin, "below \"sigma_max\" (\(sigmaMax))")
        }
        if !predictsClean {
            guard noise.predictionType != .flow, !thresholding.isOn else {
                throw keys.unsupported(
                    "predict_x0", "false", "true for a flow, and with \"thresholding\"")
            }
            guard noise.finalSigma == .sigmaMin else {
                throw keys.unsupported(
                    "final_sigmas_type", "\"zero\" without \"predict_x0\"", "\"sigma_min\"")
            }
        }
    }
}
