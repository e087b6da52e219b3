import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The scheduler against diffusers' own: timesteps equal, samples within float32's rounding.
@Suite struct DDIMSchedulerTests {
    private struct Answer: Decodable {
        struct Step: Decodable {
            let timestep: Double
            let eta: Double
            let previous: PackedTensor
        }

        let configuration: String
        let steps: Int
        let timesteps: [Double]
        let inputs: [String: PackedTensor]
        let noised: [PackedTensor]
        let results: [Step]
    }

    @Test func equalsDiffusers() throws {
        let library = try LibTorch.shared()
        let folder = try TemporaryFolder()
        let answers: [Answer] = try PythonReference("reference.py").run("ddim", folder.path)
        #expect(answers.count > 40)
        for answer in answers {
            let path = try folder.write(answer.configuration.utf8, to: "scheduler_config.json")
            var scheduler = try DDIMScheduler(SchedulerSettings(path: path))
            let place: Comment = "\(answer.steps) steps of \(answer.configuration)"
            try scheduler.setTimesteps(answer.steps)
            #expect(scheduler.timesteps == answer.timesteps, place)

            let sample = try #require(answer.inputs["sample"]).tensor(in: library)
            let output = try #require(answer.inputs["output"]).tensor(in: library)
            let noise = try #require(answer.inputs["noise"]).tensor(in: library)
            let chosen = Set(answer.results.map(\.timestep)).sorted()
            for (timestep, expected) in zip(chosen, answer.noised) {
                let noised = try scheduler.addNoise(noise, to: sample, at: timestep)
                #expect(try expected.relativeError(of: noised) < 1e-5, place)
            }
            for step in answer.results {
                let index = try #require(scheduler.timesteps.firstIndex(of: step.timestep))
                let result = try scheduler.step(
                    output, at: index, sample: sample,
                    randomness: StepRandomness(eta: step.eta) { _ in noise })
                #expect(try step.previous.relativeError(of: result.previous) < 1e-5, place)
            }
        }
    }

    @Test func badStepCountsAreRefused() throws {
        var scheduler = DDIMScheduler(DDIMConfiguration())
        for steps in [0, -1, 1001, Int.max] {
            #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(steps) }
        }
        var offset = DDIMConfiguration()
        offset.stepsOffset = 1
        scheduler = DDIMScheduler(offset)
        #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(1000) }
    }
}
