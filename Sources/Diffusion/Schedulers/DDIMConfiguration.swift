/// How a `DDIMScheduler` is set up: a `scheduler_config.json` of whatever class, with DDIM's own
/// defaults for absent keys, as diffusers reads it.
public struct DDIMConfiguration: Equatable, Sendable {
    public var numTrainTimesteps = 1000
    public var betaStart = 0.0001
    public var betaEnd = 0.02
    public var betaSchedule = NoiseSchedule.BetaSchedule.linear
    /// β for each timestep, instead of a schedule.
    public var trainedBetas: [Double]?
    /// Whether the predicted x_0 is limited to ± `clipSampleRange`.
    public var clipSample = true
    public var clipSampleRange = 1.0
    /// Whether ᾱ before the first timestep is 1, rather than ᾱ_0.
    public var setAlphaToOne = true
    public var stepsOffset = 0
    public var predictionType = PredictionType.epsilon
    /// Dynamic thresholding of the predicted x_0 (Saharia et al., 2022, section 2.3).
    public var thresholding = false
    public var dynamicThresholdingRatio = 0.995
    public var sampleMaxValue = 1.0
    public var timestepSpacing = TimestepSpacing.leading
    public var rescaleBetasZeroSNR = false
    /// Whether the file said anything of `clip_sample`. Stable Diffusion needs it to be false; DDIM's
    /// default is true.
    public var namesClipSample = true

    public init() {}

    /// Reads `scheduler_config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        let file = try ConfigurationFile.decode(File.self, path: path)
        func unsupported(_ key: String, _ value: Any, _ supported: String) -> ConfigurationError {
            .unsupported(path: path, key: key, value: "\(value)", supported: supported)
        }
        func choice<Choice: RawRepresentable<String> & CaseIterable>(
            _ key: String, _ value: String?, _ standard: Choice
        ) throws -> Choice {
            guard let value else { return standard }
            guard let choice = Choice(rawValue: value) else {
                let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
                throw unsupported(key, "\"\(value)\"", names)
            }
            return choice
        }
        func read<Value>(_ value: Value?, into property: inout Value) {
            property = value ?? property
        }
        read(file.numTrainTimesteps, into: &numTrainTimesteps)
        read(file.betaStart, into: &betaStart)
        read(file.betaEnd, into: &betaEnd)
        trainedBetas = file.trainedBetas
        read(file.clipSample, into: &clipSample)
        read(file.clipSampleRange, into: &clipSampleRange)
        read(file.setAlphaToOne, into: &setAlphaToOne)
        read(file.stepsOffset, into: &stepsOffset)
        read(file.thresholding, into: &thresholding)
        read(file.dynamicThresholdingRatio, into: &dynamicThresholdingRatio)
        read(file.sampleMaxValue, into: &sampleMaxValue)
        read(file.rescaleBetasZeroSnr, into: &rescaleBetasZeroSNR)
        namesClipSample = file.clipSample != nil
        betaSchedule = try choice("beta_schedule", file.betaSchedule, betaSchedule)
        predictionType = try choice("prediction_type", file.predictionType, predictionType)
        timestepSpacing = try choice("timestep_spacing", file.timestepSpacing, timestepSpacing)

        guard (1...1_000_000).contains(numTrainTimesteps) else {
            throw unsupported("num_train_timesteps", numTrainTimesteps, "1 to 1000000")
        }
        guard (0...1).contains(betaStart), (0...1).contains(betaEnd) else {
            throw unsupported("beta_start, beta_end", [betaStart, betaEnd], "0 to 1")
        }
        guard trainedBetas.map({ $0.count == numTrainTimesteps }) ?? true else {
            throw unsupported(
                "trained_betas", "a list of \(trainedBetas?.count ?? 0)",
                "num_train_timesteps (\(numTrainTimesteps)) numbers")
        }
        guard (0..<numTrainTimesteps).contains(stepsOffset) else {
            throw unsupported("steps_offset", stepsOffset, "0 up to num_train_timesteps")
        }
        guard clipSampleRange > 0, sampleMaxValue >= 1, (0...1).contains(dynamicThresholdingRatio)
        else {
            throw unsupported(
                "clip_sample_range, sample_max_value, dynamic_thresholding_ratio",
                [clipSampleRange, sampleMaxValue, dynamicThresholdingRatio],
                "a positive number, at least 1, and 0 to 1")
        }
    }

    private struct File: Decodable {
        var numTrainTimesteps: Int?
        var betaStart: Double?
        var betaEnd: Double?
        var betaSchedule: String?
        var trainedBetas: [Double]?
        var clipSample: Bool?
        var clipSampleRange: Double?
        var setAlphaToOne: Bool?
        var stepsOffset: Int?
        var predictionType: String?
        var thresholding: Bool?
        var dynamicThresholdingRatio: Double?
        var sampleMaxValue: Double?
        var timestepSpacing: String?
        var rescaleBetasZeroSnr: Bool?
    }
}
