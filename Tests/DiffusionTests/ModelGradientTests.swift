import Checkpoints
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The gradients of models' parameters against autograd through diffusers' and transformers' own.
@Suite struct ModelGradientTests {
    private let library: LibTorch
    private let folder: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        folder = try TemporaryFolder()
    }

    @Test func ofTheUNet() throws {
        try compare("unet", count: 2) { weights, path, input in
            let model = try UNet2DConditionModel(
                weights, configuration: UNet2DConditionConfiguration(path: path), in: library)
            let timesteps = try input("timesteps").elements(as: Int64.self).map(Int.init)
            return {
                try model(input("latents"), timesteps: timesteps, context: input("context"))
                    .meanSquaredError(to: input("noise"))
            }
        }
    }

    @Test func ofTheUnconditionalUNet() throws {
        try compare("unet2d", count: 2) { weights, path, input in
            let model = try UNet2DModel(
                weights, configuration: UNet2DConfiguration(path: path), in: library)
            let timesteps = try input("timesteps").elements(as: Int64.self).map(Int.init)
            return {
                try model(input("sample"), timesteps: timesteps)
                    .meanSquaredError(to: input("noise"))
            }
        }
    }

    @Test func ofTheAutoencoder() throws {
        try compare("autoencoder", count: 1) { weights, path, input in
            let model = try AutoencoderKL(
                weights, configuration: AutoencoderKLConfiguration(path: path))
            try model.load()
            return {
                let picture = try input("picture")
                let posterior = try model.encode(picture)
                let decoded = try model.decode(posterior.sample(noise: input("noise")))
                let (mean, logVariance) = (posterior.mean, posterior.logVariance)
                let divergence =
                    try (mean * mean + logVariance.exponential() - 1 - logVariance)
                    .sum() / Double(2 * picture.shape[0])
                return try decoded.meanSquaredError(to: picture) + 1e-3 * divergence
            }
        }
    }

    @Test func ofTheTextEncoder() throws {
        try compare("text", count: 2) { weights, path, input in
            let model = try CLIPTextModel(
                weights, configuration: CLIPTextConfiguration(path: path), in: library)
            let ids = try input("ids")
            let length = ids.shape[1]
            let tokens = try ids.elements(as: Int64.self).map(Int.init)
            let prompts = stride(from: 0, to: tokens.count, by: length).map {
                Array(tokens[$0..<$0 + length])
            }
            return { try model(prompts).meanSquaredError(to: input("target")) }
        }
    }

    /// Builds each model of the reference in each dtype and compares its loss and gradients.
    /// - Parameter build: from weights, the path of a configuration and the inputs to the loss.
    private func compare(
        _ command: String, count: Int,
        _ build: (Weights, String, @escaping (String) throws -> Tensor) throws -> () throws ->
            Tensor
    ) throws {
        let places: [String] = try PythonReference("gradients_reference.py")
            .run(command, folder.path)
        #expect(places.count == count)
        for place in places {
            let inputs = try SafetensorsFile(path: "\(place)/inputs.safetensors", in: library)
            for (dtype, tolerance) in [(DType.float32, 1e-4), (.float64, 1e-9)] {
                let parameters = Parameters()
                let weights = Weights(
                    try ComponentFolder.open("\(place)/model", in: library), dtype: dtype,
                    keepingIn: parameters)
                let compute = try build(weights, "\(place)/model/config.json") { name in
                    let input = try inputs.tensor(named: name)
                    return try input.dtype.isFloatingPoint ? input.converted(to: dtype) : input
                }
                let (loss, gradients) = try withGradients(of: parameters.tensors, compute)

                let expected = try SafetensorsFile(
                    path: "\(place)/\(dtype.rawValue).safetensors", in: library)
                #expect(Set(gradients.keys).union(["loss"]) == Set(expected.names))
                for (name, found) in gradients.merging(["loss": loss], uniquingKeysWith: { $1 }) {
                    // A bias of keys adds the same to every score of a query, which softmax does not
                    // see: its gradient is nothing but rounding, to be judged beside the weight's.
                    let isOfKeys = name.hasSuffix("to_k.bias") || name.hasSuffix("k_proj.bias")
                    let error = try relativeError(
                        of: found, to: expected.tensor(named: name),
                        beside: isOfKeys
                            ? expected.tensor(named: String(name.dropLast(4)) + "weight") : nil)
                    #expect(error < tolerance, "\(name) of \(place) in \(dtype)")
                }
            }
        }
    }

    /// The length of the difference divided by that of `expected`, or of another tensor.
    private func relativeError(of tensor: Tensor, to expected: Tensor, beside other: Tensor?) throws
        -> Double
    {
        guard tensor.shape == expected.shape else { return .infinity }
        let difference = try length(tensor.converted(to: .float64) - expected)
        return try difference / max(length(other ?? expected), .leastNormalMagnitude)
    }

    private func length(_ tensor: Tensor) throws -> Double {
        try tensor.elements(as: Double.self).map { $0 * $0 }.reduce(0, +).squareRoot()
    }
}
