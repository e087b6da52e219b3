import Files
import FoundationEssentials

/// The settings file of a run: enough to tell how a model was trained, and to refuse going on otherwise
/// than it was begun.
public struct RunRecord: Codable, Equatable, Sendable {
    public var settings: TrainingSettings
    /// What is trained; see `TrainingObjective.facts`.
    public var objective: [String: String]
    public var pictures: Pictures

    /// Which pictures were learnt from.
    public struct Pictures: Codable, Equatable, Sendable {
        public var count: Int
        /// SHA-256 of their names and captions.
        public var sha256: String
    }

    init(settings: TrainingSettings, objective: any TrainingObjective, data: TrainingData) {
        self.settings = settings
        self.objective = objective.facts
        let texts = data.pictures.map { "\($0.name)\u{0}\($0.caption ?? "")\u{0}" }
        pictures = Pictures(
            count: data.pictures.count, sha256: SHA256.hexDigest(of: Array(texts.joined().utf8)))
    }

    /// - Throws: `TrainingError.damaged` if it is no such file; `ReadError`.
    public init(path: String) throws {
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Self.self, from: Data(FileBytes.of(path)))
        } catch let error as DecodingError {
            throw TrainingError.damaged(path: path, reason: "It is no settings file: \(error)")
        }
    }

    var text: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            return try Array(encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    /// What is not as it was, where it changes the result.
    func differences(from before: RunRecord) -> [String] {
        var differences: [String] = []
        func compare(_ name: String, _ old: String, _ new: String) {
            if old != new { differences.append("\(name): \(old) there, \(new) now") }
        }
        for (old, new) in zip(before.settings.facts, settings.facts) {
            compare(new.name, old.value, new.value)
        }
        for name in Set(objective.keys).union(before.objective.keys).sorted() {
            compare(name, before.objective[name] ?? "none", objective[name] ?? "none")
        }
        if pictures != before.pictures {
            compare("pictures", before.pictures.described, pictures.described)
        }
        return differences
    }
}

extension RunRecord.Pictures {
    fileprivate var described: String { "\(count) (\(sha256.prefix(12))…)" }
}

extension TrainingSettings {
    /// Each setting that the result depends on as Python names it, and its value for people.
    fileprivate var facts: [(name: String, value: String)] {
        func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "none" }
        return [
            // More steps at an even rate only go on.
            ("steps", schedule == .constant ? "any" : "\(steps)"),
            ("batch_size", "\(batchSize)"),
            ("gradient_accumulation_steps", "\(gradientAccumulationSteps)"),
            ("learning_rate", "\(learningRate)"), ("schedule", schedule.rawValue),
            ("warmup_steps", "\(warmupSteps)"), ("beta1", "\(beta1)"), ("beta2", "\(beta2)"),
            ("weight_decay", "\(weightDecay)"), ("max_gradient_norm", text(maxGradientNorm)),
            ("average_decay", text(averageDecay)), ("seed", "\(seed)"),
            ("resolution", size.map(String.init).joined(separator: " by ")),
            ("fit", fit.rawValue), ("flips", "\(flips)"),
        ]
    }
}
