import TestSupport
import Testing
import Torch

@Suite struct LearningRateScheduleTests {
    private struct Answer: Decodable {
        let warmup: Int
        let total: Int
        /// At each step from 0 to `total`.
        let factors: [String: [Double]]
    }

    @Test func equalsDiffusers() throws {
        let answers: [Answer] = try PythonReference("gradients_reference.py").run("schedules")
        #expect(answers.count == 5)
        for answer in answers {
            let (warmup, total) = (answer.warmup, answer.total)
            let schedules: [String: LearningRateSchedule] = [
                "constant": .constant,
                "constantWithWarmup": .constantWithWarmup(steps: warmup),
                "linearWithWarmup": .linearWithWarmup(warmup: warmup, total: total),
                "cosineWithWarmup": .cosineWithWarmup(warmup: warmup, total: total),
            ]
            #expect(Set(answer.factors.keys) == Set(schedules.keys))
            for (name, expected) in answer.factors {
                let schedule = try #require(schedules[name])
                #expect(expected.count == total + 1)
                for (step, factor) in expected.enumerated() {
                    #expect(
                        (schedule.factor(step: step) - factor).magnitude < 1e-15,
                        "\(name) of \(warmup) and \(total) at \(step)")
                }
            }
        }
    }

    @Test func afterTheEndNothingIsLearned() {
        for step in [10, 11, 15, 1000] {
            let linear = LearningRateSchedule.linearWithWarmup(warmup: 2, total: 10)
            let cosine = LearningRateSchedule.cosineWithWarmup(warmup: 2, total: 10)
            #expect(linear.factor(step: step) == 0)
            #expect(cosine.factor(step: step) == 0)
        }
    }
}
