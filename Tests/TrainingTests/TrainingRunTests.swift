import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Training

/// The folder of a run: what is in it, and that breaks leave no trace.
@Suite struct TrainingRunTests {
    private let folder: TemporaryFolder
    private let library: LibTorch
    private var settings = TrainingSettings()

    private struct Break: Error {}

    init() throws {
        folder = try TemporaryFolder()
        library = try LibTorch.shared()
        settings.steps = 12
        settings.batchSize = 3
        settings.warmupSteps = 2
        settings.learningRate = 0.05
        settings.saveEvery = 5
        settings.sampleEvery = 4
        settings.sampleCount = 4
        settings.flips = true
    }

    private func run(
        _ name: String, resumes: Bool = true, with settings: TrainingSettings? = nil,
        failure: Int? = nil, facts: [String: String] = [:],
        progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws {
        var objective = try ToyObjective(in: library)
        objective.failure = failure
        objective.facts.merge(facts) { $1 }
        try TrainingRun(
            folder: folder.file(name), objective: objective, data: .colors(5),
            settings: settings ?? self.settings,
            encode: { $0.pixels }
        ).run(resumes: resumes, progress: progress)
    }

    private func changed(_ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
        var settings = settings
        change(&settings)
        return settings
    }

    private func files(of name: String) throws -> [String: [UInt8]] {
        let paths = try #require(FileManager.default.enumerator(atPath: folder.file(name)))
        var files: [String: [UInt8]] = [:]
        for case let path as String in paths {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: folder.file("\(name)/\(path)"), isDirectory: &isFolder)
            if !isFolder.boolValue { files[path] = try folder.read("\(name)/\(path)") }
        }
        return files
    }

    @Test func leavesWhatItSays() throws {
        var last: TrainingProgress?
        try run("run") { last = $0 }
        let parts = ["parameters", "optimizer", "average"]
        var expected: Set = [
            ".lock", "settings.json", "loss.csv", "loss.png", "model/color.txt",
            "samples/000004.png", "samples/000008.png", "samples/000012.png",
        ]
        for step in ["000010", "000012"] {
            expected.formUnion(parts.map { "checkpoint-\(step)/\($0).safetensors" })
        }
        #expect(try Set(files(of: "run").keys) == expected)
        let rows = try String(decoding: folder.read("run/loss.csv"), as: UTF8.self)
            .split(separator: "\n")
        #expect(rows.count == 13)
        #expect(rows[0] == "step,loss,learning_rate,gradient_norm")
        #expect(last?.step.number == 12)
        #expect(rows[12].hasPrefix("12,\(try #require(last).step.loss),"))
        let losses = rows.dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
        #expect(losses.suffix(3).max() ?? 1 < losses[0])
        // Warm-up from 0, as diffusers'.
        #expect(rows[1].split(separator: ",")[2] == "0.0")
    }

    @Test(arguments: [0, 1, 5, 7, 11])
    func aBrokenRunEndsAsAWholeOne(breakAfter step: Int) throws {
        try run("whole")
        #expect(throws: Break.self) {
            try run("broken") { if $0.step.number > step { throw Break() } }
        }
        #expect(try files(of: "broken")["model/color.txt"] == nil)
        try run("broken")
        #expect(try files(of: "broken") == files(of: "whole"))
        // Nothing is left to do.
        try run("broken") { _ in Issue.record("a step of a finished run") }
        #expect(try files(of: "broken") == files(of: "whole"))
    }

    @Test func accumulatedGradientsAreThoseOfTheWholeBatch() throws {
        // The toy's noise is drawn per micro-batch, so without it.
        let data = try TrainingData.colors(6)
        var (one, parts) = (settings, settings)
        (one.batchSize, one.gradientAccumulationSteps) = (6, 1)
        (parts.batchSize, parts.gradientAccumulationSteps) = (2, 3)
        var colors: [[Float]] = []
        for settings in [one, parts] {
            let objective = try Plain(ToyObjective(in: library))
            let loop = try TrainingLoop(objective, data: data, settings: settings)
            for _ in 0..<5 { _ = try loop.advance() }
            colors.append(try objective.toy.color.elements())
        }
        for (a, b) in zip(colors[0], colors[1]) { #expect((a - b).magnitude < 1e-6) }
        #expect(colors[0] != [0, 0, 0])
    }

    private struct Plain: TrainingObjective {
        let toy: ToyObjective
        init(_ toy: ToyObjective) { self.toy = toy }
        var parameters: [String: Tensor] { toy.parameters }
        var facts: [String: String] { toy.facts }
        func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor {
            let error = try toy.color - batch.pixels(in: LibTorch.shared())
            return try (error * error).mean()
        }
        func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage] { [] }
        func save(to folder: String) throws {}
    }

    @Test func otherSettingsAreRefusedByName() throws {
        try run("run", with: changed { $0.steps = 5 })
        let other = changed {
            $0.steps = 5
            $0.learningRate = 0.1
        }
        let error = #expect(throws: TrainingError.self) {
            try run("run", with: other, facts: ["kind": "other"])
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("learning_rate: 0.05 there, 0.1 now"))
        #expect(text.contains("kind: toy there, other now"))
        #expect(!text.contains("steps"))
        // How often something is written changes no result.
        let oftener = changed {
            $0.steps = 5
            $0.saveEvery = 2
        }
        try run("run", with: oftener)
        try run("run", resumes: false, with: other)
    }

    @Test func moreStepsAtAnEvenRateGoOn() throws {
        let settings = changed {
            $0.schedule = .constant
            $0.averageDecay = nil
        }
        var shorter = settings
        shorter.steps = 7
        try run("whole", with: settings)
        try run("longer", with: shorter)
        var steps = 0
        try run("longer", with: settings) { _ in steps += 1 }
        #expect(steps == 5)
        #expect(try files(of: "longer")["model/color.txt"] == files(of: "whole")["model/color.txt"])
        #expect(try files(of: "longer")["loss.csv"] == files(of: "whole")["loss.csv"])
    }

    @Test func aLossThatIsNoNumberStops() throws {
        let error = #expect(throws: TrainingError.self) { try run("run", failure: 8) }
        #expect(
            error
                == .diverged(
                    step: 8, what: "loss", checkpoint: folder.file("run/checkpoint-000005")))
        #expect("\(try #require(error))".contains("step 8"))
        #expect(try files(of: "run")["checkpoint-000005/parameters.safetensors"] != nil)
        // Mended, it goes on as if nothing had been.
        try run("run")
        try run("whole")
        #expect(try files(of: "run") == files(of: "whole"))
    }

    @Test func parametersThatAreNoNumbersAreNotSaved() throws {
        // Beyond float32.
        let settings = changed {
            $0.saveEvery = 1
            $0.warmupSteps = 0
            $0.learningRate = 1e39
        }
        let error = #expect(throws: TrainingError.self) { try run("run", with: settings) }
        #expect(error == .diverged(step: 1, what: "result", checkpoint: nil))
    }

    @Test func damageIsNamed() throws {
        #expect(throws: Break.self) {
            try run("run") { if $0.step.number == 7 { throw Break() } }
        }
        let losses = try folder.read("run/loss.csv")
        try folder.write("step\n".utf8, to: "run/loss.csv")
        let missing = #expect(throws: TrainingError.self) { try run("run") }
        #expect(missing.map { "\($0)".contains("loss.csv") } ?? false)
        try folder.write(losses, to: "run/loss.csv")
        let checkpoint = "run/checkpoint-000005"
        try folder.write(
            folder.read("\(checkpoint)/average.safetensors"),
            to: "\(checkpoint)/parameters.safetensors")
        let other = #expect(throws: TrainingError.self) { try run("run") }
        #expect(other.map { "\($0)".contains("parameters.safetensors") } ?? false)
    }

    @Test func twoProcessesDoNotShareAFolder() throws {
        try run("run") { _ in
            #expect(throws: TrainingError.inUse(folder: folder.file("run"))) { try run("run") }
        }
    }

    @Test(arguments: ["steps", "batch_size", "learning_rate", "average_decay", "resolution"])
    func settingsOutOfRangeAreNamed(name: String) throws {
        let settings = changed {
            switch name {
            case "steps": $0.steps = 0
            case "batch_size": $0.batchSize = 0
            case "learning_rate": $0.learningRate = .nan
            case "average_decay": $0.averageDecay = 1
            default: $0.size = [64]
            }
        }
        let error = #expect(throws: TrainingError.self) { try run("run", with: settings) }
        #expect(error.map { "\($0)".hasPrefix("\(name):") } ?? false)
    }
}
