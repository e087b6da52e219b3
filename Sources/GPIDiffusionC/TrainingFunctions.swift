import CGPIDiffusion
import Diffusion
import Files
import Imaging
import Torch
import Training

// The functions of gpi_training.h, in its order. What they do is documented there.

@c @implementation
public func gpi_train_unconditional(
    _ training: UnsafePointer<gpi_training>!, _ model: UnsafePointer<gpi_unconditional_training>!
) -> gpi_status {
    reporting {
        let training = try required(training, "training").pointee
        try checkSize(training.size, of: gpi_training.self, "training")
        let model = try required(model, "model").pointee
        try checkSize(model.size, of: gpi_unconditional_training.self, "model")
        try run(training) { settings, device in
            try UnconditionalObjective(model, training, settings, on: device)
        }
    }
}

/// Trains what `objective` makes.
private func run(
    _ training: gpi_training,
    objective: (TrainingSettings, Device) throws -> any TrainingObjective
) throws {
    let settings = try TrainingSettings(training)
    try settings.check()
    let codec = ForeignCodec(
        try required(training.decode, "training->decode"),
        try required(training.encode, "training->encode"), training.codec_context
    ).codec
    let pictures = object(
        try required(training.pictures, "training->pictures"), as: PicturesBox.self
    ).pictures.map { TrainingPicture(path: $0.path, name: $0.name) }
    let data = try TrainingData(pictures, size: settings.pixelSize, fit: settings.fit) {
        try codec.decode(FileBytes.of($0.path), $0.path)
    }
    let folder = String(cString: try required(training.output_folder, "training->output_folder"))
    let library = try LibTorch.shared()
    let device =
        try training.device.map { try Device(parsing: String(cString: $0)) } ?? .best(in: library)
    try device.checkAvailable(in: library)
    try interruptible(training.interruption, training.interruption_context) {
        let run = try TrainingRun(
            folder: folder, objective: objective(settings, device), data: data,
            settings: settings, encode: codec.encode)
        try run.run(resumes: training.resumes) { progress in
            progress.description.withCString { text in
                var told = gpi_training_progress(progress)
                told.text = text
                withUnsafePointer(to: told) {
                    training.progress?(training.progress_context, $0)
                }
            }
            // A callback that failed is heard of before the next step.
            try Interruption.check()
        }
    }
}

// MARK: - Arguments

extension gpi_training_progress {
    fileprivate init(_ progress: TrainingProgress) {
        self.init(
            step: Int64(progress.step.number), steps: Int64(progress.steps),
            loss: progress.step.loss, learning_rate: progress.step.learningRate,
            gradient_norm: progress.step.gradientNorm, average_loss: progress.averageLoss,
            pictures_per_second: progress.picturesPerSecond, seconds_left: progress.secondsLeft,
            text: nil)
    }
}

extension TrainingSettings {
    fileprivate init(_ training: gpi_training) throws {
        self.init()
        size = [Int(training.width), Int(training.height)]
        fit = try choice(training.fit, "fit")
        flips = training.flips
        steps = Int(training.steps)
        batchSize = Int(training.batch_size)
        gradientAccumulationSteps = Int(training.gradient_accumulation_steps)
        learningRate = training.learning_rate
        schedule = try choice(training.schedule, "schedule")
        warmupSteps = Int(training.warmup_steps)
        beta1 = training.beta1
        beta2 = training.beta2
        weightDecay = training.weight_decay
        maxGradientNorm = training.max_gradient_norm == 0 ? nil : training.max_gradient_norm
        averageDecay = training.average_decay == 0 ? nil : training.average_decay
        seed = training.seed
        saveEvery = Int(training.save_every)
        checkpointsKept = Int(training.checkpoints_kept)
        sampleEvery = Int(training.sample_every)
        sampleCount = Int(training.sample_count)
    }
}

extension UnconditionalObjective {
    fileprivate convenience init(
        _ model: gpi_unconditional_training, _ training: gpi_training,
        _ settings: TrainingSettings, on device: Device
    ) throws {
        var options = Options()
        options.snrGamma = model.snr_gamma == 0 ? nil : model.snr_gamma
        options.sampleSteps = Int(model.sample_steps)
        let dtype = try DType(training.dtype)
        let library = try LibTorch.shared()
        if let folder = model.model_folder {
            try self.init(
                startingFrom: String(cString: folder), options: options, dtype: dtype,
                device: device, in: library)
        } else {
            var scheduler = DDPMConfiguration()
            scheduler.training.betaSchedule = try choice(model.beta_schedule, "beta_schedule")
            scheduler.predictionType = try choice(model.prediction_type, "prediction_type")
            let widths = try numbers(model.widths, count: model.width_count, "model->widths")
            try self.init(
                configuration: UNet2DConfiguration(
                    widths: widths, layers: Int(model.layers), width: settings.pixelSize.width,
                    height: settings.pixelSize.height),
                scheduler: scheduler, seed: settings.seed, options: options, dtype: dtype,
                device: device, in: library)
        }
        savedDType = try DType(training.saved_dtype)
    }
}

/// - Throws: `TrainingError.invalidArgument` with all choices for a text that is none of them.
private func choice<Choice: RawRepresentable & CaseIterable>(
    _ text: UnsafePointer<CChar>?, _ name: String
) throws -> Choice where Choice.RawValue == String {
    let text = String(cString: try required(text, name))
    guard let choice = Choice(rawValue: text) else {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw TrainingError.invalidArgument(
            name: name, reason: "\(text.debugDescription) is none of \(known).")
    }
    return choice
}
