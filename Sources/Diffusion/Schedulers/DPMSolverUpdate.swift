import Glibc

/// One step of DPM-Solver as a sum, x_t = sample · x_s + Σ derivatives_k · D_k + noise · z, where D_k is
/// the k-th derivative of the predictions by λ (times h^k).
///
/// The equations are those of Lu et al. (2022b, appendix A and B) with h = λ_t - λ_s. float32, as the
/// reference computes them.
struct DPMSolverUpdate {
    let sample: Float
    /// Of D_0, D_1 and D_2.
    let derivatives: [Float]
    /// Of noise of unit variance; 0 for an ODE.
    let noise: Float

    /// - Parameter isMidpoint: whether D_1 has half the weight of D_0, which agrees with the exact
    ///   weight up to the second order.
    init(
        from start: NoiseLevel, to end: NoiseLevel,
        algorithm: DPMSolverMultistepConfiguration.Algorithm, isMidpoint: Bool
    ) {
        let h = end.lambda - start.lambda
        let (alpha, sigma) = (end.alpha, end.sigma)
        let weights: [Float]
        switch algorithm {
        case .dpmSolverPlusPlus:
            let decay = expf(-h)
            sample = sigma / start.sigma
            noise = 0
            weights = [
                -alpha * (decay - 1), alpha * ((decay - 1) / h + 1),
                -alpha * ((decay - 1 + h) / (h * h) - 0.5),
            ]
        case .dpmSolver:
            let growth = expf(h)
            sample = alpha / start.alpha
            noise = 0
            weights = [
                -sigma * (growth - 1), -sigma * ((growth - 1) / h - 1),
                -sigma * ((growth - 1 - h) / (h * h) - 0.5),
            ]
        case .sdeDPMSolverPlusPlus:
            let decay = 1 - expf(-2 * h)
            sample = sigma / start.sigma * expf(-h)
            noise = sigma * decay.squareRoot()
            weights = [
                alpha * decay, alpha * (decay / (-2 * h) + 1),
                alpha * ((decay - 2 * h) / (4 * h * h) - 0.5),
            ]
        case .sdeDPMSolver:
            let growth = expf(h)
            sample = alpha / start.alpha
            noise = sigma * (expf(2 * h) - 1).squareRoot()
            weights = [-2 * sigma * (growth - 1), -2 * sigma * ((growth - 1) / h - 1)]
        }
        derivatives = isMidpoint ? [weights[0], 0.5 * weights[0]] : weights
    }
}
