import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// What DDPM, PNDM, DPM-Solver and UniPC refuse, and what must not trap.
@Suite struct SolverRefusalTests {
    private static let names = [
        DDPMScheduler.name, DPMSolverMultistepScheduler.name, PNDMScheduler.name,
        UniPCMultistepScheduler.name,
    ]

    private func settings(_ name: String, _ json: String = "{}") throws -> SchedulerSettings {
        var settings = try SchedulerSettings(json: json.utf8, origin: "scheduler_config.json")
        settings.className = name
        return settings
    }

    private func sample() throws -> Tensor {
        try Tensor([Float](repeating: 1, count: 4), shape: [1, 4, 1, 1], in: .shared())
    }

    @Test(arguments: names)
    func badStepCountsAreRefused(name: String) throws {
        var scheduler = try Schedulers.scheduler(settings(name))
        for steps in [0, -1, 1001, Int.max, Int.min] {
            #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(steps) }
        }
        let offset = #"{"steps_offset": 100, "timestep_spacing": "leading"}"#
        scheduler = try Schedulers.scheduler(settings(name, offset))
        #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(999) }
    }

    @Test(arguments: names)
    func placesOutsideTheRunAreRefused(name: String) throws {
        let sample = try sample()
        var scheduler = try Schedulers.scheduler(settings(name))
        try scheduler.setTimesteps(10)
        for index in [-1, scheduler.timesteps.count, Int.max] {
            #expect(throws: SchedulerError.self) {
                try scheduler.step(sample, at: index, sample: sample)
            }
        }
        for timestep in [-1, 0.5, 1000, 1e300, .nan, .infinity] {
            #expect(throws: SchedulerError.self) { try scheduler.shares(at: timestep) }
        }
        // The same place twice is senseless, but not fatal.
        for _ in 0..<4 { _ = try scheduler.step(sample, at: 0, sample: sample) }
    }

    @Test(arguments: names)
    func oneTrainingTimestepIsEnough(name: String) throws {
        let sample = try sample()
        let options = #"{"num_train_timesteps": 1, "skip_prk_steps": true}"#
        var scheduler = try Schedulers.scheduler(settings(name, options))
        try scheduler.setTimesteps(1)
        #expect(scheduler.timesteps == [0])
        _ = try scheduler.step(sample, at: 0, sample: sample)
    }

    @Test(arguments: [
        (DDPMScheduler.name, #"{"variance_type": "other"}"#),
        (DDPMScheduler.name, #"{"beta_schedule": "sigmoid"}"#),
        (PNDMScheduler.name, #"{"prediction_type": "sample"}"#),
        (DPMSolverMultistepScheduler.name, #"{"algorithm_type": "dpmsolver"}"#),
        (DPMSolverMultistepScheduler.name, #"{"solver_order": 4}"#),
        (DPMSolverMultistepScheduler.name, #"{"solver_type": "other"}"#),
        (DPMSolverMultistepScheduler.name, #"{"prediction_type": "flow_prediction"}"#),
        (DPMSolverMultistepScheduler.name, #"{"use_dynamic_shifting": true}"#),
        (
            DPMSolverMultistepScheduler.name,
            #"{"use_karras_sigmas": true, "use_beta_sigmas": true}"#
        ),
        (
            DPMSolverMultistepScheduler.name,
            #"{"use_karras_sigmas": true, "use_lu_lambdas": true}"#
        ),
        (
            DPMSolverMultistepScheduler.name,
            #"{"algorithm_type": "sde-dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min"}"#
        ),
        (UniPCMultistepScheduler.name, #"{"solver_p": "DDIMScheduler"}"#),
        (UniPCMultistepScheduler.name, #"{"predict_x0": false}"#),
        (UniPCMultistepScheduler.name, #"{"shift_terminal": 0.1}"#),
        (UniPCMultistepScheduler.name, #"{"disable_corrector": [0.5]}"#),
        (UniPCMultistepScheduler.name, #"{"use_flow_sigmas": true, "use_beta_sigmas": true}"#),
        (UniPCMultistepScheduler.name, #"{"sigma_min": 3, "sigma_max": 2}"#),
    ])
    func unsupportedOptionsAreNamed(name: String, options: String) throws {
        let settings = try settings(name, options)
        #expect(throws: ConfigurationError.self) { try Schedulers.scheduler(settings) }
    }

    @Test func fewStepsOfRungeAndKuttaAreRefused() throws {
        var scheduler = PNDMScheduler(PNDMConfiguration())
        #expect(throws: SchedulerError.self) { try scheduler.setTimesteps(3) }
        try scheduler.setTimesteps(4)
        #expect(scheduler.timesteps.count == 13)
    }

    @Test func givenTimestepsMustFall() throws {
        var ddpm = DDPMScheduler(DDPMConfiguration())
        var dpm = DPMSolverMultistepScheduler(DPMSolverMultistepConfiguration())
        for timesteps in [[], [1000], [-1], [0.5], [.nan], [100, 87, 50, 51, 0], [5, 5]]
            as [[Double]]
        {
            #expect(throws: SchedulerError.timestepOrder(trained: 1000)) {
                try ddpm.setTimesteps(to: timesteps)
            }
            #expect(throws: SchedulerError.timestepOrder(trained: 1000)) {
                try dpm.setTimesteps(to: timesteps)
            }
        }
        try ddpm.setTimesteps(to: [100, 87, 50, 1, 0])
        try dpm.setTimesteps(to: [100, 87, 50, 1, 0])
        #expect(ddpm.timesteps == [100, 87, 50, 1, 0])
        #expect(dpm.timesteps == [100, 87, 50, 1, 0])
    }

    /// Every timestep once and one of them twice, where the reference divides by zero.
    @Test(arguments: [DPMSolverMultistepScheduler.name, UniPCMultistepScheduler.name])
    func levelsVisitedTwiceGiveNumbers(name: String) throws {
        let options = #"{"num_train_timesteps": 50, "solver_order": 3}"#
        var scheduler = try Schedulers.scheduler(settings(name, options))
        try scheduler.setTimesteps(50)
        #expect(Set(scheduler.timesteps).count < 50)
        var sample = try sample()
        for index in scheduler.timesteps.indices {
            sample = try scheduler.step(0.1 * sample, at: index, sample: sample).previous
        }
        #expect(try sample.isFinite())
    }

    @Test func thresholdingStandsAnyNumbers() throws {
        let options = #"{"thresholding": true}"#
        var scheduler = try Schedulers.scheduler(settings(DDPMScheduler.name, options))
        try scheduler.setTimesteps(10)
        for values in [[Float](repeating: .nan, count: 4), [1, .infinity, 2, .nan], []] {
            let shape = [1, values.count, 1, 1]
            let sample = try Tensor(values, shape: shape, in: .shared())
            _ = try scheduler.step(sample, at: 0, sample: sample)
        }
    }

    @Test func pythonsInfinityIsRead() throws {
        let options = #"{"lambda_min_clipped": -Infinity}"#
        let scheduler = try Schedulers.scheduler(
            settings(DPMSolverMultistepScheduler.name, options))
        let again = try SchedulerSettings(
            json: scheduler.settings.json().utf8, origin: "scheduler_config.json")
        #expect(try Schedulers.scheduler(again).settings == scheduler.settings)
    }
}
