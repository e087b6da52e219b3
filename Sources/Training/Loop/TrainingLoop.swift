import Checkpoints
import Torch

/// Trains, one step at a time: the loss and its gradients, limited, by AdamW to the parameters.
///
/// A step depends on the parameters, the optimiser's state and the step's number alone, so that a loop
/// which was given those of another goes on as that one would have.
public final class TrainingLoop {
    public let settings: TrainingSettings
    public let objective: any TrainingObjective
    public let data: TrainingData
    /// Steps done.
    public private(set) var step = 0
    private let parameters: [String: Tensor]
    private let optimizer: AdamW
    private let average: ExponentialMovingAverage?
    private var order: BatchOrder

    /// - Throws: `TrainingError.invalidArgument` for settings out of range; `TorchError` for parameters that
    ///   are not alike.
    public init(
        _ objective: any TrainingObjective, data: TrainingData, settings: TrainingSettings
    ) throws {
        try settings.check()
        self.settings = settings
        self.objective = objective
        self.data = data
        parameters = objective.parameters
        var options = AdamW.Options()
        options.learningRate = settings.learningRate
        options.beta1 = settings.beta1
        options.beta2 = settings.beta2
        options.weightDecay = settings.weightDecay
        optimizer = try AdamW(parameters, options: options, keepingMasters: true)
        average = try settings.averageDecay.map { decay in
            var options = ExponentialMovingAverage.Options()
            options.decay = decay
            return try ExponentialMovingAverage(of: objective.parameters, options: options)
        }
        order = BatchOrder(count: data.pictures.count, seed: settings.seed, flips: settings.flips)
    }

    /// The next step.
    /// - Throws: `TrainingError.notFinite` before anything was changed; what the objective throws.
    public func advance() throws -> TrainingStep {
        let number = step + 1
        let (loss, gradients) = try accumulated(at: number)
        let norm = try gradients.totalNorm()?.elements(as: Double.self)[0] ?? 0
        guard norm.isFinite else {
            throw TrainingError.notFinite(step: number, what: "gradient")
        }
        optimizer.options.learningRate =
            settings.learningRate * settings.learningRateSchedule.factor(step: step)
        let limited = try settings.maxGradientNorm.map {
            try gradients.clipped(toTotalNorm: $0, from: norm)
        }
        try optimizer.step(limited ?? gradients)
        try average?.update(parameters)
        step = number
        return TrainingStep(
            number: number, loss: loss, learningRate: optimizer.options.learningRate,
            gradientNorm: norm)
    }

    /// The mean loss of a step's micro-batches, and the mean of their gradients.
    private func accumulated(at number: Int) throws -> (loss: Double, gradients: [String: Tensor]) {
        let count = settings.gradientAccumulationSteps
        let accumulation = GradientAccumulation()
        var loss = 0.0
        for microBatch in 0..<count {
            let place = ((number - 1) * count + microBatch) * settings.batchSize
            let batch = TrainingBatch(
                order.samples(from: place, count: settings.batchSize), of: data)
            let (part, gradients) = try withGradients(of: parameters) {
                try objective.loss(
                    of: batch,
                    randomness: TrainingRandomness(
                        seed: settings.seed, step: number, microBatch: microBatch))
            }
            loss += try part.elements(as: Double.self)[0] / Double(count)
            guard loss.isFinite else { throw TrainingError.notFinite(step: number, what: "loss") }
            if count == 1 { return (loss, gradients) }
            try accumulation.add(gradients)
        }
        return (loss, accumulation.take())
    }
}

// MARK: - State

extension TrainingLoop {
    /// Runs `body` with the average of the parameters in the model, if there is one.
    func withAverage<Result>(_ body: () throws -> Result) throws -> Result {
        guard let average else { return try body() }
        let own = try parameters.mapValues { try $0.cloned() }
        try average.copy(to: parameters)
        let result = Swift.Result { try body() }
        for (name, parameter) in parameters {
            if let own = own[name] { try parameter.overwrite(with: own) }
        }
        return try result.get()
    }

    /// - Throws: `TrainingError.notFinite` if a parameter is no number.
    func checkFinite() throws {
        guard try parameters.values.allSatisfy({ try $0.isFinite() }) else {
            throw TrainingError.notFinite(step: step, what: "result")
        }
    }

    /// Writes all that another loop needs to go on from here.
    /// - Parameter folder: that is there.
    func save(to folder: String) throws {
        try SafetensorsWriter.write(parameters, to: Part.parameters.path(in: folder))
        try SafetensorsWriter.write(optimizer.state(), to: Part.optimizer.path(in: folder))
        if let average {
            try SafetensorsWriter.write(average.state(), to: Part.average.path(in: folder))
        }
    }

    /// Goes on from what a loop of the same settings has saved after `step` steps, bit for bit.
    /// - Throws: `TrainingError.damaged` if it is of other parameters; `CheckpointError`.
    func restore(from folder: String, step: Int) throws {
        let library = try LibTorch.shared()
        func read(_ part: Part, _ take: ([String: Tensor]) throws -> Void) throws {
            let path = part.path(in: folder)
            let file = try SafetensorsFile(path: path, in: library)
            let tensors = try file.names.map { ($0, try file.tensor(named: $0)) }
            do {
                try take(Dictionary(uniqueKeysWithValues: tensors))
            } catch let error as TorchError {
                throw TrainingError.damaged(path: path, reason: "\(error)")
            }
        }
        try read(.parameters) { try parameters.overwrite(with: $0) }
        try read(.optimizer) { try optimizer.restore($0) }
        if let average { try read(.average) { try average.restore($0) } }
        self.step = step
    }

    /// The files of a checkpoint.
    private enum Part: String {
        case parameters, optimizer, average

        func path(in folder: String) -> String { "\(folder)/\(rawValue).safetensors" }
    }
}

/// What one step was like.
public struct TrainingStep: Equatable, Sendable {
    /// Counted from 1.
    public var number: Int
    /// Before the step, the mean over its pictures.
    public var loss: Double
    public var learningRate: Double
    /// The length of all gradients together, before it was limited.
    public var gradientNorm: Double
}
