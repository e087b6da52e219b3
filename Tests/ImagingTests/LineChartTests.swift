import Foundation
import ImageFiles
import Testing

@testable import Imaging

/// Charts: where lines and numbers stand.
@Suite struct LineChartTests {
    private func chart(_ values: [Double]) throws -> RGBImage {
        try LineChart(values, title: "Loss", xTitle: "step").drawn(width: 320, height: 200)
    }

    /// The mean row of the line's dark blue in a column.
    private func row(of image: RGBImage, at column: Int) -> Double? {
        let rows = (40..<140).filter { row in
            let sample = (row * image.width + column) * 3
            let (red, blue) = (Int(image.pixels[sample]), Int(image.pixels[sample + 2]))
            return red < 110 && blue > red + 60
        }
        return rows.isEmpty ? nil : Double(rows.reduce(0, +)) / Double(rows.count)
    }

    @Test func theLineFallsAsTheValuesDo() throws {
        let values = (0..<400).map { 2.0 - Double($0) / 400 }
        let image = try chart(values)
        let rows = try stride(from: 90, to: 280, by: 30).map {
            try #require(row(of: image, at: $0))
        }
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func theLineIsWhereItShouldBeOnALogarithmicAxis() throws {
        // Half of the axis' length for each factor of 10, with a tenth beyond.
        let image = try chart((0..<300).map { pow(10, 2 - 2 * Double($0) / 299) })
        let middle = try #require(row(of: image, at: 64 + 236 / 2))
        #expect((middle - 36 - 112 / 2).magnitude < 2.5)
    }

    @Test func roundNumbersStandBesideTheAxes() {
        #expect(AxisTicks(0.2...9.7, count: 5, isLogarithmic: false).numbers == [2, 4, 6, 8])
        #expect(
            AxisTicks(0.009...1.2, count: 6, isLogarithmic: true).numbers
                .map(AxisTicks.text) == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"])
        #expect(AxisTicks.text(2500) == "2500")
        #expect(AxisTicks.text(1e-5) == "1e-05")
        #expect(AxisTicks(3...3, count: 5, isLogarithmic: false).share(of: 3) == 0.5)
    }

    @Test(arguments: [
        [], [1], [.nan, .infinity], [0, 0, 0], [1, .nan, 2], [-3, 5], [1e300, 1e-300],
    ])
    func anyValuesAreDrawn(values: [Double]) throws {
        #expect(try chart(values).size == PixelSize(width: 320, height: 200))
    }

    @Test func tooSmallACanvasIsRefused() {
        #expect(throws: ImagingError.emptySize(PixelSize(width: 100, height: 200))) {
            try LineChart([1], title: "", xTitle: "").drawn(width: 100, height: 200)
        }
    }

    @Test func aGridHasAPlaceForEachPicture() throws {
        let pictures = try (0..<5).map {
            try RGBImage(width: 4, height: 3, pixels: Array(repeating: UInt8($0 * 20), count: 36))
        }
        let grid = try RGBImage.grid(of: pictures, gap: 1)
        #expect(grid.size == PixelSize(width: 3 * 5 + 1, height: 2 * 4 + 1))
        #expect(grid.pixels[(5 * grid.width + 6) * 3] == 80)
        #expect(grid.pixels[0] == 255)
        #expect(throws: ImagingError.self) { try RGBImage.grid(of: []) }
    }
}
