import Checkpoints
import Foundation
import Testing
import Torch

@testable import Diffusion

/// The kernels' errors in the whole autoencoder of Stable Diffusion 1.5, beside those of libtorch's own
/// operators in float32: both against float64.
///
/// A quarter of the products costs digits: on the machine on which the bounds were set, the kernels' errors
/// were 2.2e-6 of the result in the encoder and 2.0e-6 in the decoder, libtorch's 0.8e-6. Nine tenths of
/// that are the rounding of sums, of which each output takes several, with either sign.
@Suite struct AutoencoderPrecisionTests {
    /// Random weights, drawn once for all three models.
    private final class KeptSource: TensorSource {
        private let source: RandomSource
        private var drawn: [String: Tensor] = [:]

        init(in library: LibTorch) { source = RandomSource(seed: 0, in: library) }

        var location: String { source.location }
        var names: [String] { source.names }
        func contains(_ name: String) -> Bool { source.contains(name) }
        func spec(of name: String) throws -> TensorSpec { try source.spec(of: name) }
        func tensor(named name: String) throws -> Tensor { try source.tensor(named: name) }
        func tensor(named name: String, shape: [Int]) throws -> Tensor {
            if let tensor = drawn[name] { return tensor }
            let tensor = try source.tensor(named: name, shape: shape)
            drawn[name] = tensor
            return tensor
        }
    }

    /// Takes a minute, and so runs where GPI_SLOW_TESTS is set.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["GPI_SLOW_TESTS"] != nil))
    func kernelsRoundAboutAsLibtorch() throws {
        let library = try LibTorch.shared()
        let source = KeptSource(in: library)
        var configuration = AutoencoderKLConfiguration()
        configuration.blockOutChannels = [128, 256, 512, 512]
        configuration.layersPerBlock = 2
        let noise = NoiseGenerator(seed: 1)
        let picture = try (0.5 * noise.normal([1, 3, 256, 256], in: library)).clamped(to: -1...1)
        let latents = try noise.normal([1, 4, 32, 32], in: library)

        func results(_ dtype: DType, _ precision: Precision) throws -> [[Double]] {
            let model = try AutoencoderKL(
                Weights(source, dtype: dtype, precision: precision), configuration: configuration)
            return try [
                model.encode(picture.converted(to: dtype)).mean.elements(as: Double.self),
                model.decode(latents.converted(to: dtype)).elements(as: Double.self),
            ]
        }
        let truth = try results(.float64, .exact)
        func errors(_ precision: Precision) throws -> [Double] {
            zip(try results(.float32, precision), truth).map { result, truth in
                let error = zip(result, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return (error / truth.reduce(0) { $0 + $1 * $1 }).squareRoot()
            }
        }
        let (own, direct) = try (errors(.default), errors(.exact))
        print("relative errors of encoder and decoder: kernels \(own), libtorch \(direct)")
        for (own, direct) in zip(own, direct) {
            #expect(own < 4e-6)
            #expect(own < 4 * direct)
        }
    }
}
