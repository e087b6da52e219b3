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
        /// m, the running mean of gradients.
        let mean: Tensor
        /// v, the running mean of squared gradients.
        let squares: Tensor
        /// How often the parameter was updated.
        var steps = 0

        init(_ parameter: Tensor) throws {
            self.parameter = parameter
            mean = try .zeros(like: parameter)
            squares = try .zeros(like: parameter)
        }
    }

    /// - Parameters:
    ///   - parameters: by their names, all of one dtype, on one device and contiguous. Steps write to them: they must
    ///     have memory of their own, as those of `Parameters` have.
    ///   - options: those of torch unless given.
    /// - Throws: `TorchError.invalidArgument` for an option out of its range, or for parameters that are
    ///   not alike.
    public init(_ parameters: [String: Tensor], options: Options = Options()) throws {
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
            states[name] = try State(parameter)
        }
    }

    /// Changes the parameters that have gradients, in place.
    ///
    /// - Parameter gradients: by the parameters' names, of their shapes and dtype. Parameters without
    ///   one stay as they are, without weight decay, as in torch.
    /// - Throws: `TorchError.invalidArgument` for a gradient of no parameter or of another shape or dtype,
    ///   and for an option out of its range. Nothing is changed then.
    public func step(_ gradients: [String: Tensor]) throws {
        try options.check()
        let updates = try gradients.sorted { $0.key < $1.key }.map { name, gradient in
            guard let state = states[name] else {
                throw TorchError.invalidArgument("There is no parameter \"\(name)\" to update.")
            }
            guard gradient.shape == state.parameter.shape,
                try gradient.dtype == state.parameter.dtype
            else {
                throw TorchError.invalidArgument(
                    "The gradient of \"\(name)\" is of shape \(gradient.shape) and dtype "
                        + "\(try gradient.dtype.rawValue); the parameter is of \(state.parameter.shape) and "
                        + "\(try state.parameter.dtype.rawValue).")
            }
            // The kernel walks through the memory of all four in one order.
            return (state, try gradient.contiguous())
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
                .tensors(updates.map(\.0.parameter)), .tensors(updates.map(\.1)),
                .tensors(updates.map(\.0.mean)), .tensors(updates.map(\.0.squares)), .tensors([]),
                .tensors(steps), .double(options.learningRate), .double(options.beta1),
                .double(options.beta2), .double(options.weightDecay), .double(options.epsilon),
                .bool(false), .bool(false), .none, .none,
            ], returning: [])
        for (state, _) in updates { state.steps += 1 }
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
