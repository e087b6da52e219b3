import TestSupport
import Testing
import Torch

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
        for type in Schedulers.all {
            var scheduler = try type.init(
                SchedulerSettings([
                    "steps_offset": .integer(999), "timestep_spacing": .text("leading"),
                ]))
            #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(500) }
        }
    }

    @Test func placesThatAreNone() throws {
        let library = try LibTorch.shared()
        let sample = try Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2], in: library)
        for type in Schedulers.all {
            var scheduler = try type.init(SchedulerSettings())
            try scheduler.setTimesteps(5)
            for index in [-1, Int.min, Int.max, scheduler.timesteps.count] {
                #expect(throws: SchedulerError.self) {
                    try scheduler.step(sample, at: index, sample: sample)
                }
            }
        }
    }

    @Test func shapesThatDoNotFit() throws {
        let library = try LibTorch.shared()
        let sample = try Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2], in: library)
        let output = try Tensor([Float](repeating: 1, count: 10), shape: [1, 2, 1, 5], in: library)
        for type in Schedulers.all {
            var scheduler = try type.init(SchedulerSettings())
            try scheduler.setTimesteps(5)
            #expect(throws: TorchError.self) {
                try scheduler.step(output, at: 0, sample: sample)
            }
        }
    }

    /// Noise schedules without sense give numbers without sense, or an error, but no trap.
    @Test func degenerateSchedules() throws {
        let library = try LibTorch.shared()
        let sample = try Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2], in: library)
        let schedules: [[String: SchedulerSettings.Value]] = [
            ["num_train_timesteps": .integer(1)],
            ["beta_start": .number(0), "beta_end": .number(0)],
            ["beta_start": .number(1), "beta_end": .number(1)],
            ["num_train_timesteps": .integer(3), "trained_betas": .numbers([0.5, -1e300, .nan])],
        ]
        let spacings = ["karras", "exponential", "beta"].map { "use_\($0)_sigmas" } + [""]
        for type in Schedulers.all {
            for schedule in schedules {
                for spacing in spacings {
                    let values = schedule.merging([spacing: .bool(true)]) { first, _ in first }
                    var scheduler = try type.init(SchedulerSettings(values))
                    for steps in 1...3 {
                        try? scheduler.setTimesteps(steps)
                        for index in scheduler.timesteps.indices.prefix(8) {
                            _ = try? scheduler.modelInput(sample, at: index)
                            _ = try? scheduler.step(sample, at: index, sample: sample)
                            _ = try? scheduler.shares(at: scheduler.timesteps[index])
                        }
                    }
                }
            }
        }
    }

    @Test func oneSpacingOfSigmaAtMost() throws {
        let settings = SchedulerSettings([
            "use_karras_sigmas": .bool(true), "use_beta_sigmas": .bool(true),
        ])
        #expect(
            throws: ConfigurationError.unsupported(
                path: settings.origin, key: "use_karras_sigmas",
                value: "true, like \"use_beta_sigmas\"", supported: "the only one of the two")
        ) { try EulerDiscreteScheduler(settings) }
        #expect(throws: ConfigurationError.self) { try LMSDiscreteScheduler(settings) }
        #expect(throws: ConfigurationError.self) { try HeunDiscreteScheduler(settings) }
    }

    @Test(arguments: [
        ("EulerDiscreteScheduler", "prediction_type", SchedulerSettings.Value.text("flow")),
        ("EulerDiscreteScheduler", "interpolation_type", .text("cubic")),
        ("EulerDiscreteScheduler", "final_sigmas_type", .text("one")),
        ("EulerDiscreteScheduler", "timestep_type", .text("early")),
        ("EulerDiscreteScheduler", "sigma_max", .number(-1)),
        ("EulerAncestralDiscreteScheduler", "prediction_type", .text("sample")),
        ("HeunDiscreteScheduler", "beta_schedule", .text("sigmoid")),
        ("LMSDiscreteScheduler", "steps_offset", .integer(1000)),
    ])
    func unknownValues(name: String, key: String, value: SchedulerSettings.Value) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Schedulers.type(named: name).init(SchedulerSettings([key: value]))
        }
        #expect(error.description.contains(key))
    }

    @Test func heunStartsAtWholeSteps() throws {
        let library = try LibTorch.shared()
        let sample = try Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2], in: library)
        var scheduler = try HeunDiscreteScheduler(SchedulerSettings())
        try scheduler.setTimesteps(5)
        #expect(throws: SchedulerError.self) { try scheduler.step(sample, at: 3, sample: sample) }
        _ = try scheduler.step(sample, at: 2, sample: sample)
        _ = try scheduler.step(sample, at: 3, sample: sample)
    }

    @Test func chosenTimestepsAndSigmas() throws {
        var euler = try EulerDiscreteScheduler(SchedulerSettings())
        for timesteps in [[], [1000], [-1], [.nan], [5, .infinity]] as [[Double]] {
            #expect(throws: SchedulerError.self) { try euler.setTimesteps(to: timesteps) }
        }
        for sigmas in [[], [1], [0, 1], [1, -1], [.nan, 0], [1e300, 0]] as [[Double]] {
            #expect(throws: SchedulerError.self) { try euler.setSigmas(to: sigmas) }
        }
        euler = try EulerDiscreteScheduler(
            SchedulerSettings([
                "timestep_type": .text("continuous"), "prediction_type": .text("v_prediction"),
            ]))
        #expect(throws: SchedulerError.self) { try euler.setTimesteps(to: [500]) }
        var heun = try HeunDiscreteScheduler(
            SchedulerSettings(["use_karras_sigmas": .bool(true)]))
        #expect(throws: SchedulerError.self) { try heun.setTimesteps(to: [500]) }
    }

    @Test func onlyTimestepsOfTheRunHaveASigma() throws {
        var scheduler = try EulerDiscreteScheduler(SchedulerSettings())
        try scheduler.setTimesteps(4)
        #expect(throws: SchedulerError.unknownTimestep(1)) { try scheduler.shares(at: 1) }
    }

    /// What a scheduler writes, it reads back.
    @Test func settingsSurviveTheirFile() throws {
        for type in Schedulers.all {
            let written = try type.init(
                SchedulerSettings(["steps_offset": .integer(1), "use_karras_sigmas": .bool(true)])
            ).settings
            let read = try SchedulerSettings(json: written.json().utf8, origin: "a file")
            let scheduler = try Schedulers.scheduler(read)
            #expect(scheduler.settings == written)
        }
    }
}
