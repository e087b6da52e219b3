import TestSupport
import Testing

import Diffusion

@testable import Pipelines

/// The loop's start, against the arithmetic of gpi_pack's `get_hidden_states` as Python does it.
@Suite struct ImageToImageScheduleTests {
    /// Measured on gpi_pack 0.2.1 with 1000 training timesteps and leading spacing.
    private static let measured:
        [(strength: Double, offset: Int, noise: Double, calls: Int, first: Double?)] = [
            (1, 1, 981, 49, 961), (0.6, 1, 601, 30, 581), (0.58, 1, 581, 28, nil),
            (0.01, 1, 1, 0, nil),
            (0.6, 0, 580, 30, nil), (0.01, 0, 980, 0, nil),
        ]

    @Test func fiftySteps() throws {
        for (strength, offset, noise, calls, first) in Self.measured {
            var configuration = DDIMConfiguration()
            configuration.stepsOffset = offset
            var scheduler = DDIMScheduler(configuration)
            try scheduler.setTimesteps(50)
            let all = scheduler.timesteps
            let schedule = ImageToImageSchedule(
                strength: strength, allTimesteps: all, steps: 50, stepsOffset: offset)
            let visited = all.dropFirst(schedule.start)
            #expect(visited.count == calls, "strength \(strength), offset \(offset)")
            if strength != 0.58 { #expect(schedule.noiseTimestep == noise) }
            if let first { #expect(visited.first == first) }
        }
    }

    private struct Answer: Decodable {
        struct Start: Decodable {
            let strength: Double
            let noise: Double
            let timesteps: [Double]
        }

        let spacing: String
        let offset: Int
        let steps: Int
        let starts: [Start]
    }

    /// All strengths of two digits: `steps * strength` is often just below or above a whole number.
    @Test func equalsTheOriginalsArithmetic() throws {
        let answers: [Answer] = try PythonReference("reference.py").run("schedule", "")
        #expect(answers.count == 56)
        for answer in answers {
            var configuration = DDIMConfiguration()
            configuration.stepsOffset = answer.offset
            configuration.timestepSpacing = try #require(TimestepSpacing(rawValue: answer.spacing))
            var scheduler = DDIMScheduler(configuration)
            try scheduler.setTimesteps(answer.steps)
            let all = scheduler.timesteps
            for start in answer.starts {
                let schedule = ImageToImageSchedule(
                    strength: start.strength, allTimesteps: all, steps: answer.steps,
                    stepsOffset: answer.offset)
                let place: Comment =
                    """
                    strength \(start.strength) of \(answer.steps) steps, \(answer.spacing), \
                    offset \(answer.offset)
                    """
                #expect(schedule.noiseTimestep == start.noise, place)
                #expect(Array(all.dropFirst(schedule.start)) == start.timesteps, place)
            }
        }
    }
}
