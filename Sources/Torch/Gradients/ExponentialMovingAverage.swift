import Glibc

/// The running average of a model's parameters over the steps of its training, whose pictures are
/// better than those of the last step (Song et al., 2021, appendix H; Karras et al., 2024).
///
/// Answers to diffusers' `EMAModel`, but keeps the average of parameters of 16 bits in float32: in 16
/// bits a change of a ten-thousandth is none.
public final class ExponentialMovingAverage {
    public struct Options: Hashable, Sendable {
        /// The most that stays of the average at a step.
        public var decay = 0.9999
        /// The least that stays of it, once averaging has begun.
        public var minimumDecay = 0.0
        /// Up to this step the average is the parameters themselves.
        public var updateAfterStep = 0
        /// Whether the decay at step n is `1 - (1 + n / inverseGamma)^-power`, instead of
        /// `(1 + n) / (10 + n)`; `decay` is the limit of both.
        public var usesWarmup = false
        /// Above 0.
        public var inverseGamma = 1.0
        /// 2/3 for a million steps and more, 3/4 for fewer.
        public var power = 2.0 / 3

        public init() {}
    }

    /// May be changed between steps.
    public var options: Options
    /// How often `update` was called.
    public private(set) var steps = 0
    /// The averages, by the parameters' names: not copies, `update` changes them.
    public let tensors: [String: Tensor]

    /// Begins with the parameters as they are.
    ///
    /// - Parameters:
    ///   - parameters: by their names; of a floating-point dtype.
    ///   - options: those of diffusers unless given.
    /// - Throws: `TorchError.invalidArgument` for an option out of its range or a tensor of integers.
    public init(of parameters: [String: Tensor], options: Options = Options()) throws {
        try options.check()
        for (name, parameter) in parameters where try !parameter.dtype.isFloatingPoint {
            throw TorchError.invalidArgument(
                "\"\(name)\" is of dtype \(try parameter.dtype.rawValue), of which there is no average."
            )
        }
        self.options = options
        tensors = try parameters.mapValues { try $0.detached().preciseCopy() }
    }

    /// How much of the average stays at the update after `steps` others (`EMAModel.get_decay`).
    func decay(after steps: Int) -> Double {
        let step = Double(steps - options.updateAfterStep)
        guard step > 0 else { return 0 }
        let rising =
            options.usesWarmup
            ? 1 - pow(1 + step / options.inverseGamma, -options.power) : (1 + step) / (10 + step)
        return max(min(rising, options.decay), options.minimumDecay)
    }

    /// Takes the parameters after another step into the average.
    ///
    /// - Parameter parameters: the same names and shapes as at the beginning.
    /// - Throws: `TorchError.invalidArgument` if they are not the same, or for an option out of its range.
    ///   Nothing is changed then.
    public func update(_ parameters: [String: Tensor]) throws {
        try options.check()
        try check(parameters)
        let weight = 1 - decay(after: steps)
        for (name, average) in tensors {
            guard let parameter = parameters[name] else { continue }
            try average.approach(
                parameter.detached().converted(to: average.dtype).moved(to: average.device),
                by: weight)
        }
        steps += 1
    }

    /// Writes the averages to the parameters of a model, in their dtype.
    /// - Parameter parameters: of the averages' names and shapes.
    /// - Throws: `TorchError.invalidArgument` if they are not; nothing is changed then.
    public func copy(to parameters: [String: Tensor]) throws {
        try check(parameters)
        for (name, parameter) in parameters {
            if let average = tensors[name] { try parameter.overwrite(with: average) }
        }
    }

    private func check(_ parameters: [String: Tensor]) throws {
        try parameters.check(shapesOf: tensors, "the parameters of the average")
    }
}

// MARK: - State

extension ExponentialMovingAverage {
    /// Diffusers' name of the number of steps.
    private static let stepName = "optimization_step"

    /// What `restore` needs to go on from here: the averages by their names, and the number of steps.
    /// Not copies: the next update changes them.
    public func state() throws -> [String: Tensor] {
        var state = tensors
        guard let library = tensors.values.first?.library else { return [:] }
        state[Self.stepName] = try Tensor([Int64(steps)], shape: [], in: library)
        return state
    }

    /// Goes on from a state, bit for bit.
    /// - Parameter state: of an average of parameters of the same names and shapes.
    /// - Throws: `TorchError.invalidArgument` if it is not; nothing is changed then.
    public func restore(_ state: [String: Tensor]) throws {
        guard !tensors.isEmpty else { return }
        var averages = state
        let step = averages.removeValue(forKey: Self.stepName)
        try averages.check(shapesOf: tensors, "the state of the average")
        guard let step = try step?.elements(as: Int64.self), step.count == 1, step[0] >= 0 else {
            throw TorchError.invalidArgument(
                "The state of the average lacks the number of its steps, \"\(Self.stepName)\".")
        }
        for (name, average) in tensors {
            if let saved = averages[name] { try average.overwrite(with: saved) }
        }
        steps = Int(step[0])
    }
}

extension ExponentialMovingAverage.Options {
    fileprivate func check() throws {
        let decays = 0.0...1.0
        guard decays.contains(decay), decays.contains(minimumDecay), updateAfterStep >= 0,
            inverseGamma > 0, inverseGamma.isFinite, power >= 0, power.isFinite
        else {
            throw TorchError.invalidArgument(
                "\(self): both decays must be in [0, 1], the steps before averaging and the power at "
                    + "least 0, and the inverse of gamma above 0.")
        }
    }
}
