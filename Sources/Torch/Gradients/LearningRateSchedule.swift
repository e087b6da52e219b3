import Glibc

/// How the learning rate changes in the course of training.
///
/// Answers to the functions of `diffusers.optimization`.
public enum LearningRateSchedule: Hashable, Sendable {
    /// `get_constant_schedule`: always the optimiser's own.
    case constant
    /// `get_constant_schedule_with_warmup`: from 0 in equal parts over so many steps, then constant.
    case constantWithWarmup(steps: Int)
    /// `get_linear_schedule_with_warmup`: after the warm-up in equal parts down to 0 at step `total`.
    case linearWithWarmup(warmup: Int, total: Int)
    /// `get_cosine_schedule_with_warmup`: after the warm-up down half a period of the cosine to 0 at
    /// step `total`.
    case cosineWithWarmup(warmup: Int, total: Int)

    /// What the learning rate is multiplied with at a step, 0 to 1.
    /// - Parameter step: counted from 0, so that the first step of a warm-up changes nothing, as in
    ///   diffusers.
    public func factor(step: Int) -> Double {
        let (warmup, total) =
            switch self {
            case .constant: (0, 0)
            case .constantWithWarmup(let steps): (steps, 0)
            case .linearWithWarmup(let warmup, let total): (warmup, total)
            case .cosineWithWarmup(let warmup, let total): (warmup, total)
            }
        if step < warmup { return Double(max(step, 0)) / Double(max(warmup, 1)) }
        let length = Double(max(total - warmup, 1))
        switch self {
        case .constant, .constantWithWarmup: return 1
        case .linearWithWarmup: return max(0, Double(total - step) / length)
        case .cosineWithWarmup:
            // Past the end it stays at 0, where diffusers lets the cosine rise again.
            let progress = min(Double(step - warmup) / length, 1)
            return max(0, 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
