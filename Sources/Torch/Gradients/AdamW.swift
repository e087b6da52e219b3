/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2).
///
/// Answers to `torch.optim.AdamW` without AMSGrad, and computes with the kernel of its `fused` form.
public final class AdamW {
    public struct Options: Sendable {
        /// α, the length of a step.
        public var learningRate = 1e-3
        /// β₁, how much of the mean of gradients stays at a step.
        public var beta1 = 0.9
        /// β₂, how much of the mean of squared gradients stays at a step.
        public var beta2 = 0.999
        /// ε, added to the root of that mean.
        public var epsilon = 1e-8
        /// λ, how much of a parameter is lost at a step of length 1.
        public var weightDecay = 1e-2

        public init() {}
    }

    /// May be changed between steps, as a schedule of the learning rate does.
    public var options: Options
    private var states: [String: State] = [:]

    private final class State {
        let parameter: Tensor
        /// What steps change: the parameter, or the number in float32 that it is rounded from.
        let master: Tensor
        /// m, the running mean of gradients.
        let mean: Tensor
        /// v, the running mean of squared gradients.
        let squares: Tensor
        /// How often the parameter was updated.
        var steps = 0

        init(_ parameter: Tensor, keepingMaster: Bool) throws {
            self.parameter = parameter
            master =
                try keepingMaster && parameter.dtype.byteCount < 4
                ? parameter.preciseCopy() : parameter
            mean = try .zeros(like: master)
            squares = try .zeros(like: master)
        }

        var hasMaster: Bool { master !== parameter }
    }

    /// - Parameters:
    ///   - parameters: by their names, all of one dtype, on one device and contiguous. Steps write to them: they must
    ///     have memory of their own, as those of `Parameters` have.
    ///   - options: those of torch unless given.
    ///   - keepingMasters: whether for parameters of 16 bits there are masters in float32, which steps
    ///     change and the parameters are rounded from (Micikevicius et al., 2018, section 3.1). Without,
    ///     as in torch, steps that are small beside a parameter are lost.
    /// - Throws: `TorchError.invalidArgument` for an option out of its range, or for parameters that are
    ///   not alike.
    public init(
        _ parameters: [String: Tensor], options: Options = Options(), keepingMasters: Bool = false
    ) throws {
        self.options = options
        try options.check()
        let first = try parameters.first?.value.form
        for (name, parameter) in parameters {
            let form = try parameter.form
            guard form.dtype == first?.dtype, form.device == first?.device,
                form.dtype.isFloatingPoint, try parameter.isContiguous
            else {
                throw TorchError.invalidArgument(
                    "Parameter \"\(name)\" is of dtype \(form.dtype.rawValue) on \(form.device); all must "
                        + "be of one floating-point dtype on one device, and contiguous.")
            }
            states[name] = try State(parameter, keepingMaster: keepingMasters)
        }
    }

    /// Changes the parameters that have gradients, in place.
    ///
    /// - Parameter gradients: by the parameters' names, of their shapes and dtype, or of their masters'.
    ///   Parameters without one stay as they are, without weight decay, as in torch.
    /// - Throws: `TorchError.invalidArgument` for a gradient of no parameter or of another shape or dtype,
    ///   and for an option out of its range. Nothing is changed then.
    public func step(_ gradients: [String: Tensor]) throws {
        try options.check()
        let updates = try gradients.sorted { $0.key < $1.key }.map { name, gradient in
            guard let state = states[name] else {
                throw TorchError.invalidArgument("There is no parameter \"\(name)\" to update.")
            }
            guard gradient.shape == state.parameter.shape,
                try [state.parameter.dtype, state.master.dtype].contains(gradient.dtype)
            else {
                throw TorchError.invalidArgument(
                    "The gradient of \"\(name)\" is of shape \(gradient.shape) and dtype "
                        + "\(try gradient.dtype.rawValue); the parameter is of \(state.parameter.shape) and "
                        + "\(try state.parameter.dtype.rawValue).")
            }
            // The kernel walks through the memory of all four in one order.
            return (state, try gradient.converted(to: state.master.dtype).contiguous())
        }
        guard let (first, _) = updates.first else { return }
        let library = first.parameter.library
        let device = try first.parameter.device
        let steps = try updates.map { state, _ in
            try Tensor([Float(state.steps + 1)], shape: [], in: library).moved(to: device)
        }
        _ = try library.call(
            "_fused_adamw_",
            [
                .tensors(updates.map(\.0.master)), .tensors(updates.map(\.1)),
                .tensors(updates.map(\.0.mean)), .tensors(updates.map(\.0.squares)), .tensors([]),
                .tensors(steps), .double(options.learningRate), .double(options.beta1),
                .double(options.beta2), .double(options.weightDecay), .double(options.epsilon),
                .bool(false), .bool(false), .none, .none,
            ], returning: [])
        for (state, _) in updates {
            state.steps += 1
            if state.hasMaster { try state.parameter.overwrite(with: state.master) }
        }
    }
}

// MARK: - State

extension AdamW {
    /// What `restore` needs to go on from here, by a parameter's name and torch's names for the parts:
    /// `conv_in.weight.exp_avg`, `.exp_avg_sq`, `.step`; and `.master` where there is one. The
    /// parameters themselves are not in it. No copies: the next step changes them.
    public func state() throws -> [String: Tensor] {
        var parts: [String: Tensor] = [:]
        for (name, state) in states {
            parts["\(name).exp_avg"] = state.mean
            parts["\(name).exp_avg_sq"] = state.squares
            parts["\(name).step"] = try Tensor(
                [Float(state.steps)], shape: [], in: state.parameter.library)
            if state.hasMaster { parts["\(name).master"] = state.master }
        }
        return parts
    }

    /// Goes on from a state, bit for bit if the parameters are those of then.
    ///
    /// - Parameter saved: what `state` gave of an optimiser of parameters of the same names and shapes.
    ///   Parameters that have masters are rounded from those anew.
    /// - Throws: `TorchError.invalidArgument` if it is of others; nothing is changed then.
    public func restore(_ saved: [String: Tensor]) throws {
        try saved.check(shapesOf: state(), "the state of the optimizer")
        let steps = try states.keys.map { name in
            let step = try saved["\(name).step"]?.elements(as: Double.self).first ?? -1
            guard let steps = Int(exactly: step), steps >= 0 else {
                throw TorchError.invalidArgument(
                    "In the state of the optimizer \"\(name).step\" is \(step), which counts nothing."
                )
            }
            return (name, steps)
        }
        for (name, steps) in steps {
            guard let state = states[name] else { continue }
            for (part, tensor) in [("exp_avg", state.mean), ("exp_avg_sq", state.squares)] {
                if let saved = saved["\(name).\(part)"] { try tensor.overwrite(with: saved) }
            }
            if state.hasMaster, let master = saved["\(name).master"] {
                try state.master.overwrite(with: master)
                try state.parameter.overwrite(with: master)
            }
            state.steps = steps
        }
    }
}

extension AdamW.Options {
    fileprivate func check() throws {
        let decays = 0.0..<1.0
        let isSound =
            learningRate >= 0 && learningRate.isFinite && epsilon >= 0 && epsilon.isFinite
            && weightDecay >= 0 && weightDecay.isFinite && decays.contains(beta1)
            && decays.contains(beta2)
        guard isSound else {
            throw TorchError.invalidArgument(
                "\(self): the learning rate, ε and the weight decay must be at least 0, and β₁ and β₂ in "
                    + "[0, 1).")
        }
    }
}
