import Testing

@testable import Diffusion

/// What schedulers do not take, they say.
@Suite struct SchedulerRefusalTests {
    @Test func badStepCounts() throws {
        for type in Schedulers.all {
            var scheduler = try type.init(SchedulerSettings())
            for steps in [0, -1, 1001, Int.min, Int.max] {
                #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(steps) }
            }
        }
    }

    @Test func offsetsPastTheLastTimestep() throws {
        var scheduler = try DDIMScheduler(SchedulerSettings(["steps_offset": .integer(1)]))
        #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(1000) }
    }
}
