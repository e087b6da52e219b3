/// For every output sample along one axis, which input samples it is made of and how
/// much each counts: `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow's
/// `Resample.c`.
struct ResampleWeights {
    /// The input samples that one output sample is made of.
    struct Window {
        /// The first of the input samples, as an index along the axis.
        let start: Int
        /// Where the weights of these samples lie in ``ResampleWeights/weights``.
        let weights: Range<Int>

        /// The input samples, as a range of indices along the axis.
        var samples: Range<Int> { start..<start + weights.count }
    }

    /// The number of fractional bits of a weight: 32 less 8 for the sample and 2 for
    /// sums that stray below 0 or above 1.
    static let fractionBits: Int32 = 32 - 8 - 2

    /// The most weights Pillow would make room for, in `precompute_coeffs`.
    private static let maximumCount = Int(Int32.max) / MemoryLayout<Double>.size

    /// One window for each output sample, in order.
    let windows: [Window]
    /// The weights of all windows, end to end, in fixed point.
    let weights: [Int32]

    /// The input samples that any window uses.
    var usedSamples: Range<Int> {
        guard let first = windows.first, let last = windows.last else { return 0..<0 }
        return first.samples.lowerBound..<last.samples.upperBound
    }

    /// Computes the weights that take a span of `inputCount` samples to `outputCount`, or
    /// returns nil where there would be too many of them.
    ///
    /// - Parameters:
    ///   - inputCount: the number of input samples, at least 1.
    ///   - spanStart: where the span begins, at least 0; samples beside it count too, near its ends.
    ///   - spanEnd: where the span ends, at least `spanStart` and at most `inputCount`.
    ///   - outputCount: the number of output samples, at least 1.
    ///   - filter: widened where the samples become fewer, so that all of them count.
    init?(
        from inputCount: Int, between spanStart: Float, and spanEnd: Float, to outputCount: Int,
        filter: ResamplingFilter
    ) {
        // Pillow subtracts as 32-bit floats, too.
        let scale = Double(spanEnd - spanStart) / Double(outputCount)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        let windowCapacity = support.rounded(.up) * 2 + 1
        guard windowCapacity * Double(outputCount) <= Double(Self.maximumCount) else {
            return nil
        }

        var windows: [Window] = []
        windows.reserveCapacity(outputCount)
        var weights: [Int32] = []
        weights.reserveCapacity(outputCount * min(Int(windowCapacity), inputCount))
        var window: [Double] = []

        // The order of every operation below is Pillow's: another one rounds differently.
        let inverseFilterScale = 1 / filterScale
        for output in 0..<outputCount {
            let center = Double(spanStart) + (Double(output) + 0.5) * scale
            let start = min(max(Int(center - support + 0.5), 0), inputCount)
            let end = max(min(Int(center + support + 0.5), inputCount), start)

            window.removeAll(keepingCapacity: true)
            var sum = 0.0
            for sample in start..<end {
                let distance = (Double(sample) - center + 0.5) * inverseFilterScale
                let weight = filter.weight(at: distance)
                window.append(weight)
                sum += weight
            }

            let firstWeight = weights.count
            for weight in window {
                weights.append(Self.fixedPoint(sum == 0 ? weight : weight / sum))
            }
            windows.append(Window(start: start, weights: firstWeight..<weights.count))
        }
        self.windows = windows
        self.weights = weights
    }

    /// The weight in fixed point, rounded to nearest with ties away from zero.
    private static func fixedPoint(_ weight: Double) -> Int32 {
        let scaled = weight * Double(Int32(1) << fractionBits)
        return Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5)
    }
}
