import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Every scheduler against diffusers' class of that name, over the options that diffusers' own tests
/// vary: timesteps, σ, noised samples, and whole runs from the start and from the middle.
@Suite struct SchedulerParityTests {
    private struct Answer: Decodable {
        let sample: PackedTensor
        let noise: PackedTensor
        let draws: [PackedTensor]
        let cases: [Case]
    }

    private struct Case: Decodable {
        let configuration: String
        let steps: Int
        /// What the run visits by the caller's choice, if so.
        let customTimesteps: [Double]?
        let customSigmas: [Double]?
        let eta: Double
        let dtype: String
        let timesteps: [Double]
        let sigmas: [Double]
        let initialNoiseSigma: Double
        let loop: Run
        /// At the first timestep, at `start` and at the last one.
        let noised: [PackedTensor?]
        let start: Int
        let fromStart: Run
    }

    private struct Run: Decodable {
        /// Absent where diffusers gives no numbers.
        let result: PackedTensor?
        /// What differences are seen against.
        let scale: Double

        func relativeError(of tensor: Tensor) throws -> Double? {
            guard let result else { return nil }
            let largest = result.values.map(\.magnitude).max() ?? 0
            return try result.relativeError(of: tensor) * (largest / scale)
        }
    }

    /// The largest differences over all cases, each relative to the magnitude of what is compared.
    private struct Maxima: CustomStringConvertible {
        var values = ["timesteps": 0.0, "sigmas": 0.0, "noised": 0.0, "runs": 0.0]

        mutating func note(_ name: String, _ error: Double) -> Double {
            values[name] = max(values[name] ?? 0, error)
            return error
        }

        var description: String {
            values.sorted { $0.key < $1.key }
                .map { "\($0.key) \(String(format: "%.1e", $0.value))" }.joined(separator: ", ")
        }
    }

    @Test(arguments: Schedulers.all.map { $0.name })
    func equalsDiffusers(name: String) throws {
        let library = try LibTorch.shared()
        let answer: Answer = try PythonReference("scheduler_reference.py").run(name)
        #expect(answer.cases.count > 20)
        let type = try Schedulers.type(named: name)
        var maxima: [String: Maxima] = [:]
        for expected in answer.cases {
            let place: Comment =
                "\(expected.steps) steps, \(expected.dtype), η \(expected.eta) of \(expected.configuration)"
            let dtype = try #require(DType(rawValue: expected.dtype))
            // Ten steps of rounding to 16 bits.
            let tolerance = dtype == .float32 ? 1e-4 : 5e-2
            let noiseTolerance = dtype == .float32 ? 1e-5 : 1e-2
            var found = maxima[expected.dtype] ?? Maxima()
            defer { maxima[expected.dtype] = found }

            let settings = try SchedulerSettings(
                json: expected.configuration.utf8, origin: "scheduler_config.json")
            var scheduler = try type.init(settings)
            try start(&scheduler, as: expected)

            #expect(scheduler.timesteps.count == expected.timesteps.count, place)
            if expected.timesteps.allSatisfy({ $0 == $0.rounded() }) {
                #expect(scheduler.timesteps == expected.timesteps, place)
            }
            for (timestep, reference) in zip(scheduler.timesteps, expected.timesteps) {
                let error = (timestep - reference).magnitude / max(reference.magnitude, 1)
                #expect(found.note("timesteps", error) < 1e-4, place)
            }
            if !scheduler.sigmas.isEmpty {
                #expect(scheduler.sigmas.count == expected.sigmas.count, place)
                for (sigma, reference) in zip(scheduler.sigmas, expected.sigmas) {
                    let error =
                        (sigma - reference).magnitude
                        / max(reference.magnitude, .leastNormalMagnitude)
                    #expect(found.note("sigmas", error) < 1e-5, place)
                }
            }
            let initial = scheduler.initialNoiseSigma
            #expect(
                found.note("sigmas", (initial / expected.initialNoiseSigma - 1).magnitude) < 1e-5,
                place)

            let sample = try answer.sample.tensor(in: library).converted(to: dtype)
            let noise = try answer.noise.tensor(in: library).converted(to: dtype)
            let indices = Set([0, expected.start, expected.timesteps.count - 1]).sorted()
            #expect(indices.count == expected.noised.count)
            for (index, reference) in zip(indices, expected.noised) {
                let noised = try scheduler.addNoise(
                    noise, to: sample, at: scheduler.timesteps[index])
                #expect(try noised.dtype == dtype)
                guard let reference else { continue }
                let error = try reference.relativeError(of: noised)
                #expect(found.note("noised", error) < noiseTolerance, place)
            }

            let draws = try answer.draws.map { try $0.tensor(in: library) }
            // The second run begins with diffusers' own sample, whose noise has 16 bits where it has.
            let middle = zip(indices, expected.noised).first { $0.0 == expected.start }?.1
            for (first, index, reference) in [
                (try initial * sample, 0, expected.loop),
                (
                    try middle?.tensor(in: library).converted(to: dtype) ?? sample, expected.start,
                    expected.fromStart
                ),
            ] {
                let result = try run(
                    scheduler, from: first, start: index, eta: expected.eta, draws: draws,
                    in: library)
                #expect(try result.dtype == dtype)
                guard let error = try reference.relativeError(of: result) else { continue }
                #expect(found.note("runs", error) < tolerance, place)
            }
        }
        for (dtype, found) in maxima.sorted(by: { $0.key < $1.key }) {
            print("\(name), \(answer.cases.count) cases, \(dtype): \(found)")
        }
    }

    private func start(_ scheduler: inout any Scheduler, as expected: Case) throws {
        if let timesteps = expected.customTimesteps {
            var custom = try #require(scheduler as? any CustomTimestepsScheduler)
            try custom.setTimesteps(to: timesteps)
            scheduler = custom
        } else if let sigmas = expected.customSigmas {
            var custom = try #require(scheduler as? any CustomSigmasScheduler)
            try custom.setSigmas(to: sigmas)
            scheduler = custom
        } else {
            try scheduler.setTimesteps(expected.steps)
        }
    }

    /// A denoising loop with the model of diffusers' own tests: x · t / (t + 1).
    private func run(
        _ scheduler: any Scheduler, from first: Tensor, start: Int, eta: Double, draws: [Tensor],
        in library: LibTorch
    ) throws -> Tensor {
        var scheduler = scheduler
        var sample = first
        var drawn = 0
        let randomness = StepRandomness(eta: eta) { like in
            defer { drawn += 1 }
            return try draws[drawn % draws.count].converted(to: like.dtype)
        }
        for index in scheduler.timesteps.indices.dropFirst(start) {
            let input = try scheduler.modelInput(sample, at: index)
            let timestep = try Tensor(
                [Float(scheduler.timesteps[index])], shape: [1, 1, 1, 1], in: library
            ).converted(to: input.dtype)
            var output = try input * timestep / (timestep + 1)
            if case .text(let variance) = scheduler.settings.values["variance_type"],
                variance.hasPrefix("learned")
            {
                let square = try output * output
                output = try .concatenated([output, square / (square + 1)], dimension: 1)
            }
            sample = try scheduler.step(
                output, at: index, sample: sample, randomness: randomness
            ).previous
        }
        return sample
    }
}
