import Torch

/// Limits the predicted x_0 of each picture to a quantile of its own magnitudes (Saharia et al.,
/// 2022, section 2.3). For models of pixels, not of latents.
public struct DynamicThresholding: Equatable, Sendable {
    public var isOn = false
    public var ratio = 0.995
    public var sampleMaxValue = 1.0

    public init() {}

    mutating func exchange(_ keys: inout SchedulerKeys) throws {
        try keys.exchange("thresholding", &isOn)
        try keys.exchange("dynamic_thresholding_ratio", &ratio, within: 0...1)
        try keys.exchange("sample_max_value", &sampleMaxValue, within: 1e-3...1e6)
    }

    /// x_0 of each picture limited to its quantile s of magnitudes, and divided by s; computed in
    /// float32 where it comes with fewer bits.
    func callAsFunction(_ clean: Tensor) throws -> Tensor {
        guard clean.count > 0, let pictures = clean.shape.first else { return clean }
        let dtype = try clean.dtype
        let parts = try clean.converted(to: dtype == .float64 ? .float64 : .float32)
            .split(into: pictures, dimension: 0).map(limited)
        return try Tensor.concatenated(parts, dimension: 0).converted(to: dtype)
    }

    private func limited(_ picture: Tensor) throws -> Tensor {
        let magnitudes = try picture.elements(as: Float.self).map(\.magnitude).sorted()
        let place = ratio * Double(magnitudes.count - 1)
        let (lower, upper) = (Int(place), min(Int(place) + 1, magnitudes.count - 1))
        let quantile =
            magnitudes[lower] + Float(place - Double(lower))
            * (magnitudes[upper] - magnitudes[lower])
        guard !quantile.isNaN else { return try Double.nan * picture }
        let limit = min(max(Double(quantile), 1), sampleMaxValue)
        return try picture.clamped(to: -limit...limit) / limit
    }
}
