import Files
import FoundationEssentials

/// The settings file of a study's folder: enough to write a methods section from, and to refuse a run
/// that would mix results.
public struct StudyRecord: Codable, Equatable, Sendable {
    public var settings: StudySettings
    public var model: ModelIdentity
    /// Of the programs and libraries that began the folder, by their names. A run with others is told
    /// of it, not refused.
    public var versions: [String: String]

    public init(settings: StudySettings, model: ModelIdentity, versions: [String: String]) {
        self.settings = settings
        self.model = model
        self.versions = versions
    }

    /// - Throws: `StudyError.damaged` if it is no such file; `ReadError`.
    public init(path: String) throws {
        do {
            self = try StudyJSON.decoder.decode(Self.self, from: Data(FileBytes.of(path)))
        } catch let error as DecodingError {
            throw StudyError.damaged(path: path, reason: "It is no settings file: \(error)")
        }
    }

    var text: [UInt8] { get throws { try StudyJSON.text(self, isPretty: true) } }

    /// A digest of all that results depend on beside the picture, its prompt and its seed.
    var digest: String {
        get throws {
            let files = model.files.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
            return SHA256.hexDigest(
                of: try StudyJSON.text(settings, isPretty: false) + files.joined().utf8)
        }
    }

    func differences(from before: StudyRecord) -> [SettingDifference] {
        var differences = settings.differences(from: before.settings)
        if model.files != before.model.files {
            differences.append(
                SettingDifference(
                    name: "model_id", before: before.model.described, now: model.described))
        }
        return differences
    }

    /// What other programs and libraries a run has, in words; nil for the same ones.
    func versionDifference(from before: StudyRecord) -> String? {
        let changed = Set(versions.keys).union(before.versions.keys).sorted().filter {
            versions[$0] != before.versions[$0]
        }
        guard !changed.isEmpty else { return nil }
        return changed.map {
            "\($0) \(before.versions[$0] ?? "none") there, \(versions[$0] ?? "none") now"
        }.joined(separator: "; ")
    }
}

extension ModelIdentity {
    /// For people: the name, and what tells its files from others of that name.
    fileprivate var described: String {
        let digests = files.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.prefix(12))…" }
        return "\(name) (\(revision ?? digests.joined(separator: ", ")))"
    }
}

/// JSON as the files of a study hold it: keys in snake_case and in order, so that equal contents are
/// equal bytes.
enum StudyJSON {
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    static func data(_ text: String) -> Data { Data(text.utf8) }

    /// Pretty texts end in a new line.
    static func text(_ value: some Encodable, isPretty: Bool) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return try Array(encoder.encode(value)) + (isPretty ? [UInt8(ascii: "\n")] : [])
    }
}
