import Testing
@testable import Torch

@Suite struct Probe {
    @Test func ops() throws {
        let lib = try LibTorch.shared()
        print(lib.origin, lib.version)
        let x = try NoiseGenerator(seed: 0).normal([1, 8, 6, 6], in: lib)
        print(try x.elements(as: Float.self).prefix(4))
        let w = try NoiseGenerator(seed: 1).normal([4, 8, 3, 3], in: lib)
        let y = try x.conv2d(weight: w, bias: nil, stride: 1, padding: 1)
        print(y.shape)
        let g = try Tensor([1,1,1,1,1,1,1,1] as [Float], shape: [8], in: lib)
        print(try x.groupNorm(groups: 2, weight: g, bias: g, epsilon: 1e-5).silu().shape)
        print(try x.upsampledNearest(height: 12, width: 12).shape)
        print(try x.clamped(to: -1...1).rounded().elements(as: Float.self).prefix(4))
        print(try (0.5 * x + 1.0).elements(as: Double.self).prefix(4), try (x / 2).isFinite(), try (x / 0).isFinite())
        let q = try x.reshaped([1, 1, 8, 36]).transposed(2, 3).contiguous()
        print(try q.scaledDotProductAttention(key: q, value: q).shape)
        print(try x.zeroPadded(left: 0, right: 1, top: 0, bottom: 1).shape, try x.permuted([0,2,3,1]).contiguous(.channelsLast).strides)
        print(try x.converted(to: .bfloat16).dtype, try x.exponential().shape, try x.cloned().shape)
        print(try NoiseGenerator(seed: nil).normal([2, 3], in: lib).shape)
        print(try x.split(into: 2, dimension: 1).map(\.shape))
        do { _ = try x.reshaped([7]) } catch { print(error) }
        do { try Device(parsing: "cuda:3").checkAvailable(in: lib) } catch { print(error) }
        do { _ = try Device(parsing: "tpu") } catch { print(error) }
        print(Device.best(in: lib))
    }
}
