import Imaging

extension RGBImage {
    /// The loss of each step as a picture; a mean of single steps is drawn over them.
    static func lossCurve(_ losses: [Double]) throws -> RGBImage {
        try LineChart(losses, title: "Loss", xTitle: "step").drawn(width: 720, height: 405)
    }
}
