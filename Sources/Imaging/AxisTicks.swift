import Glibc

/// Where an axis of a chart begins and ends, and the round numbers that are written beside it.
struct AxisTicks {
    /// Whether equal distances stand for equal factors.
    let isLogarithmic: Bool
    /// The numbers, rising.
    let numbers: [Double]
    private let first: Double
    private let last: Double

    /// - Parameters:
    ///   - range: of what is shown.
    ///   - count: about how many numbers there is room for.
    ///   - isLogarithmic: for numbers above 0.
    init(_ range: ClosedRange<Double>, count: Int, isLogarithmic: Bool) {
        self.isLogarithmic = isLogarithmic
        first = Self.place(range.lowerBound, isLogarithmic)
        last = Self.place(range.upperBound, isLogarithmic)
        numbers =
            isLogarithmic
            ? Self.factors(of: range, count: count) : Self.steps(of: range, count: count)
    }

    /// How far along the axis a number stands, 0 to 1.
    func share(of number: Double) -> Double {
        last > first ? (Self.place(number, isLogarithmic) - first) / (last - first) : 0.5
    }

    private static func place(_ number: Double, _ isLogarithmic: Bool) -> Double {
        isLogarithmic ? log10(number) : number
    }

    /// Multiples of 1, 2 or 5 times a power of ten.
    private static func steps(of range: ClosedRange<Double>, count: Int) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite else { return [range.lowerBound] }
        let rough = span / Double(max(count, 1))
        let unit = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * unit }.first { $0 >= rough } ?? 10 * unit
        let from = Int(ceil(range.lowerBound / step - 1e-9))
        let to = Int(floor(range.upperBound / step + 1e-9))
        return from <= to ? (from...to).map { Double($0) * step } : []
    }

    /// Powers of ten, with 2 and 5 times them where there is room.
    private static func factors(of range: ClosedRange<Double>, count: Int) -> [Double] {
        let decades = Int(floor(log10(range.lowerBound)))...Int(ceil(log10(range.upperBound)))
        for digits in [[1.0, 2, 5], [1, 3], [1]] {
            let numbers = decades.flatMap { decade in digits.map { $0 * pow(10, Double(decade)) } }
                .filter { range.contains($0) }
            if numbers.count <= 2 * count { return numbers }
        }
        return []
    }

    /// A number as it is written: without digits that say nothing.
    static func text(_ number: Double) -> String {
        let rounded = (number * 1e6).rounded() / 1e6
        if rounded == number.rounded(), number.magnitude < 1e15 {
            return "\(Int(number.rounded()))"
        }
        return rounded.magnitude >= 1e-4 ? "\(rounded)" : "\(Float(number))"
    }
}
