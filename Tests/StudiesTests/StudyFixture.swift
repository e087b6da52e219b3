import Foundation
import Imaging
import Pipelines
import Studies
import TestSupport

/// A folder of small pictures and studies of them with the checkpoint that ships with the repository.
///
/// Pictures are in a format of the tests' own: a width, a height, and the samples of all pixels.
struct StudyFixture {
    let folder: TemporaryFolder
    var settings = StudySettings()
    /// The part of a request that most tests leave alone.
    var request: StudyRequest

    static var model: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("python/demo_checkpoint").path
    }

    /// - Parameter count: pictures, called "picture 1" and so on, no two alike.
    init(pictures count: Int) throws {
        folder = try TemporaryFolder()
        settings.size = [24, 16]
        settings.prompt = ""
        settings.seed = 7
        request = StudyRequest(pictures: [])
        for number in 1...count {
            let samples = (0..<(24 * 16 * 3)).map { UInt8(truncatingIfNeeded: $0 * (number + 2)) }
            let path = try folder.write([24, 16] + samples, to: "picture \(number).raw")
            request.pictures.append(StudyPicture(name: "picture \(number)", path: path, seed: 7))
        }
    }

    struct NoPicture: Error, CustomStringConvertible {
        let description: String
    }

    static let codec = PictureCodec(
        decode: { bytes, path in
            guard bytes.count > 2 else { throw NoPicture(description: "\(path): is no picture.") }
            return try RGBImage(
                width: Int(bytes[0]), height: Int(bytes[1]), pixels: Array(bytes[2...]))
        },
        encode: { $0.pixels })

    func study(in name: String = "study", warn: @escaping (String) -> Void = { _ in }) throws
        -> Study
    {
        try Study(
            folder: folder.file(name), settings: settings, versions: ["tests": "1"],
            codec: Self.codec, modelFolder: Self.model, modelName: "demo", device: .cpu, warn: warn)
    }

    @discardableResult
    func run(
        in name: String = "study", _ change: (inout StudyRequest) throws -> Void = { _ in },
        progress: (StudyProgress) throws -> Void = { _ in }
    ) throws -> StudySummary {
        var request = request
        try change(&request)
        return try study(in: name).run(request, progress: progress)
    }

    /// All files of a study by their paths in its folder. Of the manifest without the seconds, which no two
    /// runs share.
    func files(of name: String = "study") throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        let root = folder.file(name)
        for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
            guard !isFolder.boolValue else { continue }
            files[path] = try folder.read("\(name)/\(path)")
            guard path.hasSuffix(".jsonl") else { continue }
            files[path] = try Array(rows(of: name, path).map { "\($0)\n" }.joined().utf8)
        }
        return files
    }

    /// The rows of a manifest as they would be if nothing took time.
    func rows(of name: String = "study", _ manifest: String = "manifest.jsonl") throws -> [StudyRow]
    {
        try folder.read("\(name)/\(manifest)").split(separator: UInt8(ascii: "\n")).map {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            var row = try decoder.decode(StudyRow.self, from: Data($0))
            row.seconds = nil
            return row
        }
    }
}

extension StudyFixture {
    /// When each file of latents was written last.
    func modificationDates() throws -> [String: Date] {
        let files = FileManager.default
        let root = folder.file("study/latents")
        return try files.contentsOfDirectory(atPath: root).reduce(into: [:]) {
            $0[$1] = try files.attributesOfItem(atPath: "\(root)/\($1)")[.modificationDate] as? Date
        }
    }

    /// Changes one byte in the middle of a file.
    func flipByte(in name: String) throws {
        var bytes = try folder.read(name)
        bytes[bytes.count / 2] ^= 1
        try folder.write(bytes, to: name)
    }
}
