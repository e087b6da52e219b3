/// How much a picture resembles each of the concepts that a safety checker looks for.
///
/// A score is the cosine of the angle between picture and concept, less the concept's threshold,
/// rounded to three decimals: -2 to 2, and above 0 where the concept is found.
public struct SafetyScores: Equatable, Sendable {
    /// Of the concepts that a picture must not show.
    public let concepts: [Float]
    /// Of the concepts that make the checker stricter about all concepts after them.
    public let specialCare: [Float]

    /// Whether the picture shows what it must not.
    public var isFlagged: Bool { concepts.contains { $0 > 0 } }

    /// A concept's embedding as a checker compares it: how similar the picture is to it, and how
    /// similar it may be, each -1 to 1.
    typealias Comparison = (cosine: Float, threshold: Float)

    /// What `forward` of diffusers' `StableDiffusionSafetyChecker` does with its cosines.
    init(concepts: [Comparison], specialCare: [Comparison]) {
        var adjustment: Float = 0
        // The order of the sum and single precision are numpy's: another one rounds differently.
        func score(_ comparison: Comparison) -> Float {
            let excess = comparison.cosine - comparison.threshold + adjustment
            return (excess * 1000).rounded(.toNearestOrEven) / 1000
        }
        self.specialCare = specialCare.map {
            let score = score($0)
            if score > 0 { adjustment = 0.01 }
            return score
        }
        self.concepts = concepts.map(score)
    }
}
