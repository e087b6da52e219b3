import Torch

/// A solver whose samples are x_0 + σ ε, rather than √ᾱ x_0 + √(1-ᾱ) ε: what the model is given is
/// scaled to unit variance (Karras et al., 2022, table 1, column "iDDPM + DDIM").
///
/// Only timesteps of the run have a σ, so only they can be asked for noise.
public protocol VarianceExplodingScheduler: Scheduler {
    var timestepSpacing: TimestepSpacing { get }
}

extension VarianceExplodingScheduler {
    /// The largest σ; for leading timesteps √(σ² + 1), as the first sample is not pure noise there.
    public var initialNoiseSigma: Double {
        let largest = Float(sigmas.max() ?? 1)
        switch timestepSpacing {
        case .linspace, .trailing: return Double(largest)
        case .leading: return Double((largest * largest + 1).squareRoot())
        }
    }

    /// x / √(σ² + 1).
    public func modelInput(_ sample: Tensor, at index: Int) throws -> Tensor {
        let sigma = try sigma(at: index)
        return try sample / Double((sigma * sigma + 1).squareRoot())
    }

    /// - Throws: `SchedulerError.unknownTimestep` if the run does not visit the timestep.
    public func shares(at timestep: Double) throws -> NoiseShares {
        // Where a timestep stands twice, a run starts at the second one.
        let indices = timesteps.indices.filter { timesteps[$0] == timestep }
        guard let index = indices.dropFirst().first ?? indices.first else {
            throw SchedulerError.unknownTimestep(timestep)
        }
        return NoiseShares(signal: 1, noise: sigmas[index])
    }

    /// σ at a place in the timesteps.
    func sigma(at index: Int) throws -> Float {
        _ = try timestep(at: index)
        return Float(sigmas[index])
    }

    /// σ that a step starts from and the one that it leads to.
    func sigmas(ofStep index: Int) throws -> (from: Float, to: Float) {
        (try sigma(at: index), Float(sigmas[index + 1]))
    }
}

extension PredictionType {
    /// The clean sample x_0 that the model's output for x = x_0 + σ ε stands for.
    func clean(from prediction: Tensor, sample: Tensor, sigma: Float) throws -> Tensor {
        switch self {
        case .epsilon:
            return try sample - Double(sigma) * prediction
        case .sample:
            return prediction
        case .velocity:
            // √ᾱ = 1 / √(σ² + 1), and √(1-ᾱ) is σ times that.
            let variance = sigma * sigma + 1
            let output = Double(-sigma / variance.squareRoot())
            return try output * prediction + sample / Double(variance)
        }
    }
}
