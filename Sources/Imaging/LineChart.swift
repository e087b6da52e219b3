/// A chart of numbers that come one after the other, such as the loss of each step of a training: all of
/// them as a pale band, their running mean as a line.
///
/// ```swift
/// let chart = LineChart(values, title: "Loss", xTitle: "step")
/// try chart.drawn(width: 720, height: 405).writePNG(to: "loss.png")
/// ```
public struct LineChart: Sendable {
    /// The numbers; those that are not finite are passed over.
    public var values: [Double]
    /// What is written above.
    public var title: String
    /// What is written below.
    public var xTitle: String

    private static let ink = RGBColor(red: 51, green: 51, blue: 51)
    private static let grid = RGBColor(red: 226, green: 226, blue: 226)
    private static let band = RGBColor(red: 190, green: 208, blue: 234)
    private static let line = RGBColor(red: 31, green: 84, blue: 158)
    /// Lines are drawn so many times as large and made smaller, which smooths them.
    private static let oversampling = 3

    /// - Parameters:
    ///   - values: the numbers, of which the first stands at 1.
    ///   - title: what is written above.
    ///   - xTitle: what is written below.
    public init(_ values: [Double], title: String, xTitle: String) {
        self.values = values
        self.title = title
        self.xTitle = xTitle
    }

    /// The chart as a picture.
    ///
    /// - Parameters:
    ///   - width: in pixels, at least 160.
    ///   - height: in pixels, at least 120.
    /// - Throws: ``ImagingError/emptySize(_:)`` for less, ``ImagingError/tooManyPixels(_:)`` for more than
    ///   ``PixelSize/maximumPixelCount``.
    public func drawn(width: Int, height: Int) throws(ImagingError) -> RGBImage {
        let size = PixelSize(width: width, height: height)
        guard width >= 160, height >= 120 else { throw .emptySize(size) }
        try PixelSize(width: width * Self.oversampling, height: height * Self.oversampling)
            .requireProducible()
        let frame = Frame(
            left: 64, top: 36, width: width - 64 - 20, height: height - 36 - 52)
        let x = AxisTicks(
            1...Double(max(values.count, 2)), count: max(frame.width / 110, 1),
            isLogarithmic: false)
        let y = verticalAxis(count: max(frame.height / 55, 1))

        var canvas = Canvas(size, filledWith: .white)
        canvas.write(
            title, row: 12, column: frame.left, scale: 2, color: Self.ink)
        canvas.draw(try plot(frame, x, y), row: frame.top, column: frame.left)
        drawAxes(&canvas, frame, x, y)
        return canvas.image
    }

    /// Where the values are drawn.
    private struct Frame {
        let left: Int, top: Int, width: Int, height: Int
    }

    // MARK: - Axes

    /// Logarithmic where the values differ by more than a factor of 10.
    private func verticalAxis(count: Int) -> AxisTicks {
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else {
            return AxisTicks(0...1, count: count, isLogarithmic: false)
        }
        if low > 0, high > 10 * low {
            return AxisTicks(low / 1.1...high * 1.1, count: count, isLogarithmic: true)
        }
        let margin = high > low ? 0.05 * (high - low) : max(0.05 * high.magnitude, 1e-9)
        let bottom = low >= 0 ? max(low - margin, 0) : low - margin
        return AxisTicks(bottom...high + margin, count: count, isLogarithmic: false)
    }

    private func drawAxes(_ canvas: inout Canvas, _ frame: Frame, _ x: AxisTicks, _ y: AxisTicks) {
        let bottom = frame.top + frame.height
        for (number, row) in rows(of: y, frame) {
            let text = AxisTicks.text(number)
            canvas.fill(
                row: frame.top + row, column: frame.left - 5, height: 1, width: 5, with: Self.ink)
            canvas.write(
                text, row: frame.top + row - 3, column: frame.left - 9 - BitmapFont.width(of: text),
                scale: 1, color: Self.ink)
        }
        for (number, column) in columns(of: x, frame) {
            let text = AxisTicks.text(number)
            canvas.fill(
                row: bottom, column: frame.left + column, height: 5, width: 1, with: Self.ink)
            canvas.write(
                text, row: bottom + 9,
                column: frame.left + column - BitmapFont.width(of: text) / 2, scale: 1,
                color: Self.ink)
        }
        canvas.fill(
            row: frame.top, column: frame.left - 1, height: frame.height + 1, width: 1,
            with: Self.ink)
        canvas.fill(
            row: bottom, column: frame.left - 1, height: 1, width: frame.width + 1, with: Self.ink)
        canvas.write(
            xTitle, row: bottom + 28,
            column: frame.left + (frame.width - 2 * BitmapFont.width(of: xTitle)) / 2, scale: 2,
            color: Self.ink)
    }

    private func rows(of y: AxisTicks, _ frame: Frame) -> [(Double, Int)] {
        y.numbers.map { ($0, Int(((1 - y.share(of: $0)) * Double(frame.height - 1)).rounded())) }
    }

    private func columns(of x: AxisTicks, _ frame: Frame) -> [(Double, Int)] {
        x.numbers.map { ($0, Int((x.share(of: $0) * Double(frame.width - 1)).rounded())) }
    }

    // MARK: - Lines

    /// What is in the frame, first drawn larger.
    private func plot(_ frame: Frame, _ x: AxisTicks, _ y: AxisTicks) throws(ImagingError)
        -> RGBImage
    {
        let factor = Self.oversampling
        let (width, height) = (frame.width * factor, frame.height * factor)
        var canvas = Canvas(PixelSize(width: width, height: height), filledWith: .white)
        for (_, row) in rows(of: y, frame) {
            canvas.fill(row: row * factor, column: 0, height: factor, width: width, with: Self.grid)
        }
        for (_, column) in columns(of: x, frame) {
            canvas.fill(
                row: 0, column: column * factor, height: height, width: factor, with: Self.grid)
        }
        draw(values, on: &canvas, thickness: factor, x, y, color: Self.band)
        // Of few values the mean would be the values.
        if values.count > 20 {
            draw(runningMean(), on: &canvas, thickness: 2 * factor, x, y, color: Self.line)
        } else {
            draw(values, on: &canvas, thickness: 2 * factor, x, y, color: Self.line)
        }
        return try canvas.image.resized(
            to: PixelSize(width: frame.width, height: frame.height), filter: .bicubic)
    }

    /// A line through values, column by column: it fills what lies between the least and the most of it
    /// there, so that many values in one column are a band.
    private func draw(
        _ values: [Double], on canvas: inout Canvas, thickness: Int, _ x: AxisTicks, _ y: AxisTicks,
        color: RGBColor
    ) {
        var spans: [Int: ClosedRange<Double>] = [:]
        func cover(_ column: Int, _ row: Double) {
            let span = spans[column] ?? row...row
            spans[column] = min(span.lowerBound, row)...max(span.upperBound, row)
        }
        var last: (column: Double, row: Double)?
        for (index, value) in values.enumerated() where value.isFinite {
            let column = x.share(of: Double(index + 1)) * Double(canvas.size.width - 1)
            let row = (1 - y.share(of: value)) * Double(canvas.size.height - 1)
            let before = last ?? (column, row)
            let columns = Int(before.column)...Int(column)
            for place in columns {
                // Where the line enters the column and where it leaves it.
                for edge in [Double(place), Double(place + 1)] {
                    let inside = min(max(edge, before.column), column)
                    let share =
                        column > before.column
                        ? (inside - before.column) / (column - before.column) : 1
                    cover(place, before.row + share * (row - before.row))
                }
            }
            last = (column, row)
        }
        let half = thickness / 2
        for (column, span) in spans {
            let top = Int(span.lowerBound.rounded()) - half
            canvas.fill(
                row: top, column: column - half,
                height: Int(span.upperBound.rounded()) + half + 1 - top, width: thickness,
                with: color)
        }
    }

    /// The mean of the values around each, a hundredth of all on either side.
    private func runningMean() -> [Double] {
        var sums = [0.0]
        var counts = [0]
        for value in values {
            sums.append(sums[sums.count - 1] + (value.isFinite ? value : 0))
            counts.append(counts[counts.count - 1] + (value.isFinite ? 1 : 0))
        }
        let reach = max(values.count / 100, 2)
        return values.indices.map { index in
            // As many before as after it: else the mean would lag at the steep beginning.
            let reach = min(reach, index, values.count - 1 - index)
            let (from, to) = (index - reach, index + reach + 1)
            return (sums[to] - sums[from]) / Double(counts[to] - counts[from])
        }
    }
}
