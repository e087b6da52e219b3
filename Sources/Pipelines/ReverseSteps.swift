import Diffusion
import Imaging
import Torch

/// The states of pictures on their way from noise, kept from a run's steps for a strip.
///
///     var states = ReverseSteps(count: 8)
///     while let step = try loop.next() { try states.add(step) }
///     try states.strip(ofPicture: 0, cell: 96).image.writePNG(to: "reverse.png")
public struct ReverseSteps {
    /// Where a run was after a step.
    public struct State: Sendable {
        /// That the UNet was run at.
        public let timestep: Double
        /// x after the step, values outside of [-1, 1] cut off.
        public let samples: [RGBImage]
        /// The clean pictures as the step believed them to be; none where the scheduler does not say.
        public let clean: [RGBImage]
    }

    /// How many of a run's steps are kept, at least 1.
    public let count: Int
    public private(set) var states: [State] = []

    /// - Parameter count: of states; at least one is kept.
    public init(count: Int) { self.count = max(count, 1) }

    /// Keeps the step if it is one of `count` at equal distances, the last of which is the run's last.
    /// - Parameter step: of a model whose samples are pictures.
    /// - Throws: `PipelineError.notFinite` if a value is no number.
    public mutating func add(_ step: DenoisingStep) throws {
        guard isKept(step.number, of: step.count) else { return }
        states.append(
            State(
                timestep: step.timestep,
                samples: try RGBImage.pictures(decoded: step.latents),
                clean: try step.clean.map { try RGBImage.pictures(decoded: $0) } ?? []))
    }

    /// Whether the number of states that should be there grows with this step.
    private func isKept(_ number: Int, of total: Int) -> Bool {
        let kept = min(count, total)
        return (number + 1) * kept / total > number * kept / total
    }

    /// A row of what one picture was, and below it what it was believed to become.
    ///
    /// - Parameters:
    ///   - picture: its place in the batch.
    ///   - cell: the longer side of each state in pixels.
    /// - Throws: `PipelineError.invalidArgument` if there is no such picture; `ImagingError` if the
    ///   strip would be too large.
    public func strip(ofPicture picture: Int, cell: Int) throws -> PictureStrip {
        func row(_ name: String, _ pictures: (State) -> [RGBImage]) -> [(String, RGBImage)] {
            states.compactMap { state in
                let all = pictures(state)
                guard all.indices.contains(picture) else { return nil }
                return ("\(name) t=\(Int(state.timestep))", all[picture])
            }
        }
        let samples = row("x", \.samples)
        guard !samples.isEmpty else {
            throw PipelineError.invalidArgument(
                name: "picture", reason: "no step with a picture \(picture) was kept.")
        }
        let clean = row("x0", \.clean)
        return try PictureStrip(rows: clean.isEmpty ? [samples] : [samples, clean], cell: cell)
    }
}

/// The states of a picture on its way to noise (Ho et al., 2020, eq. 4).
public enum ForwardSteps {
    /// A row of a picture under ever more of the same noise.
    ///
    /// - Parameters:
    ///   - picture: the clean one.
    ///   - timesteps: of the states, of those that training knows.
    ///   - scheduler: says how much noise there is at a timestep.
    ///   - seed: of the noise; without one it comes from the generator of the process.
    ///   - cell: the longer side of each state in pixels.
    ///   - library: that computes it.
    /// - Throws: `SchedulerError` for an unknown timestep; `ImagingError` if the strip would be too large.
    public static func strip(
        of picture: RGBImage, at timesteps: [Int], scheduler: any Scheduler, seed: UInt64? = nil,
        cell: Int, in library: LibTorch
    ) throws -> PictureStrip {
        let sample = try Tensor.pixels(of: [picture], in: library)
        let noise = try NoiseGenerator(seed: seed).normal(sample.shape, in: library)
        let states = try timesteps.map { timestep in
            let noised = try scheduler.addNoise(noise, to: sample, at: Double(timestep))
            return ("x t=\(timestep)", try RGBImage(decoded: noised))
        }
        return try PictureStrip(rows: [[("x0", picture)] + states], cell: cell)
    }
}
