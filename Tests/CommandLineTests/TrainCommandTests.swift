import Foundation
import ImageFiles
import Imaging
import TestSupport
import Testing

/// `train`, in processes that are killed and given what cannot be trained on.
@Suite struct TrainCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.file("pictures"), withIntermediateDirectories: true)
    }

    /// Pictures of several sizes, no two alike.
    private func makePictures(_ count: Int) throws {
        for number in 0..<count {
            let size = PixelSize(width: 9 + number % 4, height: 12 - number % 5)
            let pixels = (0..<(3 * size.width * size.height)).map {
                UInt8(truncatingIfNeeded: $0 * (number + 3) / 7)
            }
            try RGBImage(width: size.width, height: size.height, pixels: pixels).writePNG(
                to: folder.file("pictures/\(number).png"))
        }
    }

    private let unconditional = [
        "train", "unconditional", "pictures", "--size", "8", "--steps", "30", "--batch-size", "2",
        "--widths", "8,16", "--layers", "1", "--warmup-steps", "3", "--save-every", "4",
        "--sample-every", "10", "--sample-count", "2", "--sample-steps", "2", "--flips",
    ]

    private func train(to output: String, _ more: String...) throws -> CommandLine.Result {
        try CommandLine.run(unconditional + ["--output", output] + more, in: folder)
    }

    /// All files of a run.
    private func files(of run: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: folder.file(run))
            ?? .init()
        {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: folder.file("\(run)/\(path)"), isDirectory: &isFolder)
            if !isFolder.boolValue { files[path] = try folder.read("\(run)/\(path)") }
        }
        return files
    }

    private func rows(of run: String) -> Int {
        let text = try? String(contentsOfFile: folder.file("\(run)/loss.csv"), encoding: .utf8)
        return (text?.split(separator: "\n").count ?? 1) - 1
    }

    /// As when a machine is switched off, again and again.
    @Test func aKilledRunEndsInTheSameBytes() throws {
        try makePictures(5)
        let whole = try train(to: "whole")
        try #require(whole.status == 0, "\(whole.errors)")
        #expect(whole.output == "whole/model\n")
        #expect(whole.errors.contains("Training: step 30/30, loss "))
        #expect(whole.errors.contains(" pictures/s, 00:00:00 left"))

        for target in [2, 9, 17, 26] {
            let run = try CommandLine.start(unconditional + ["--output", "killed"], in: folder)
            while run.isRunning, rows(of: "killed") < target { usleep(500) }
            // Anywhere in a step, or between the writing of two files.
            usleep(UInt32.random(in: 0...30_000))
            kill(run.processIdentifier, SIGKILL)
            run.waitUntilExit()
            #expect(run.terminationReason == .uncaughtSignal)
        }
        #expect(try files(of: "killed")["model/model_index.json"] == nil)
        let last = try train(to: "killed")
        #expect(last.status == 0)
        #expect(try files(of: "killed") == files(of: "whole"))

        let again = try train(to: "killed")
        #expect(again.status == 0)
        #expect(!again.errors.contains("step"), "a finished run has no steps left")
        let other = try train(to: "killed", "--learning-rate", "0.5", "--widths", "8,8")
        #expect(other.status != 0)
        #expect(other.errors.contains("learning_rate: 0.0001 there, 0.5 now"))
        #expect(other.errors.contains("configuration: "))
        #expect(try files(of: "killed") == files(of: "whole"))
    }

    @Test func aLossThatIsNoNumberLeavesTheLastGoodCheckpoint() throws {
        try makePictures(3)
        let result = try train(
            to: "run", "--learning-rate", "1e30", "--max-gradient-norm", "0", "--warmup-steps",
            "0", "--save-every", "1", "--sample-every", "0")
        #expect(result.status != 0)
        let checkpoints = try FileManager.default.contentsOfDirectory(atPath: folder.file("run"))
            .filter { $0.hasPrefix("checkpoint-") }.sorted()
        let last = try #require(checkpoints.last)
        let step = try #require(Int(last.dropFirst("checkpoint-".count))) + 1
        #expect(result.errors.contains("of step \(step) is not finite"))
        #expect(result.errors.contains("run/\(last)"))
        #expect(try files(of: "run")["model/model_index.json"] == nil)
    }

    @Test func whatCannotBeLearntFromIsNamed() throws {
        func expect(_ words: String, _ result: CommandLine.Result) {
            #expect(result.status != 0)
            #expect(result.errors.contains(words), "\(result.errors)")
        }
        expect("no picture under pictures", try train(to: "run"))
        try makePictures(2)
        try folder.write("no picture".utf8, to: "pictures/broken.png")
        expect("pictures/broken.png", try train(to: "run"))
        try FileManager.default.removeItem(atPath: folder.file("pictures/broken.png"))
        expect("steps: 0 is not", try train(to: "run", "--steps", "0"))
        expect("multiples of 2", try train(to: "run", "--size", "9"))
        expect("widths: 12", try train(to: "run", "--widths", "12"))

        let captioned = [
            "train", "text-to-image", "pictures", "--model", CommandLine.model, "--size", "16",
            "--output", "run",
        ]
        expect("metadata.jsonl", try CommandLine.run(captioned, in: folder))
        let lines = [
            #"{"file_name": "0.png", "text": "a"}"#, #"{"file_name": "7.png", "text": "b"}"#,
        ]
        try folder.write(lines.joined(separator: "\n").utf8, to: "pictures/metadata.jsonl")
        expect("there is no such picture", try CommandLine.run(captioned, in: folder))
    }
}
