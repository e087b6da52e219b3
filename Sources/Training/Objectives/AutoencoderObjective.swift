import Checkpoints
import Diffusion
import Imaging
import Pipelines
import Torch

/// Trains an `AutoencoderKL`: pictures shall come back from their latents, and the latents shall stay
/// close to standard normals (Kingma and Welling, 2014; Rombach et al., 2022, section 3.1).
///
///     L = w₁ · mean |x̂ - x| + w₂ · mean (x̂ - x)² + w_KL · KL + w_s · (s² · mean μ² - 1)²
///
/// x̂ is decoded from one draw of the posterior N(μ, σ²). KL is the divergence of that from N(0, 1), summed
/// over a picture's latents and averaged over pictures, as diffusers' `latent_dist.kl().mean()`.
public final class AutoencoderObjective: TrainingObjective {
    /// The weights of the loss's terms.
    public struct Options: Codable, Equatable, Sendable {
        /// w₁, of the mean absolute error: keeps edges sharp.
        public var absoluteWeight = 1.0
        /// w₂, of the mean squared error, which PSNR is about.
        public var squaredWeight = 0.0
        /// w_KL, of the divergence.
        public var divergenceWeight = 1e-6
        /// w_s: latents times the configured scaling factor s shall have about unit variance, so that a
        /// diffusion model can be trained on them with the factor that it is.
        public var scaleWeight = 0.0

        public init() {}
    }

    public let options: Options
    /// That the model is saved in.
    public var savedDType = DType.float32
    public let parameters: [String: Tensor]
    public let facts: [String: String]
    private let model: AutoencoderKL
    private let start: StartingModel

    /// - Parameters:
    ///   - folder: of the model to start from in diffusers' layout, a pipeline or its `vae` alone.
    ///   - options: the weights of the loss's terms.
    ///   - dtype: that is computed in.
    ///   - device: that is computed on.
    ///   - library: that tensors are of.
    /// - Throws: `CheckpointError`, `ConfigurationError` if there is no such model;
    ///   `TrainingError.invalidArgument` for a negative weight.
    public init(
        startingFrom folder: String, options: Options = Options(), dtype: DType = .float32,
        device: Device = .cpu, in library: LibTorch
    ) throws {
        try options.check()
        self.options = options
        start = StartingModel(folder: folder, in: library)
        let parameters = Parameters()
        model = try AutoencoderKL(
            start.weights(of: Self.component, dtype: dtype, device: device, keepingIn: parameters),
            configuration: AutoencoderKLConfiguration(
                path: start.configuration(of: Self.component)))
        try model.load()
        self.parameters = parameters.tensors
        facts = [
            "model": "AutoencoderKL", "starting_weights": try parameters.tensors.digest(),
            "dtype": dtype.rawValue, "absolute_weight": "\(options.absoluteWeight)",
            "squared_weight": "\(options.squaredWeight)",
            "divergence_weight": "\(options.divergenceWeight)",
            "scale_weight": "\(options.scaleWeight)",
        ]
    }

    private static let component = "vae"

    public func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor {
        let pictures = try placed(batch.pixels(in: start.library))
        let posterior = try model.encode(pictures)
        let noise = try randomness.normal(
            posterior.mean.shape, for: .posterior, in: start.library)
        return try loss(of: pictures, posterior: posterior, noise: placed(noise))
    }

    /// - Parameters:
    ///   - pictures: `[N, 3, H, W]` in [-1, 1].
    ///   - posterior: what they are encoded to.
    ///   - noise: `[N, C, h, w]`, which draws from it.
    func loss(of pictures: Tensor, posterior: DiagonalGaussian, noise: Tensor) throws -> Tensor {
        let error = try model.decode(posterior.sample(noise: noise)) - pictures
        let squares = try posterior.mean * posterior.mean
        var terms: [Tensor] = []
        if options.absoluteWeight > 0 {
            terms.append(try options.absoluteWeight * error.absolute().mean())
        }
        if options.squaredWeight > 0 {
            terms.append(try options.squaredWeight * (error * error).mean())
        }
        if options.divergenceWeight > 0 {
            let logVariance = posterior.logVariance
            let divergence = try (squares + logVariance.exponential() - 1 - logVariance).sum()
            let count = Double(2 * pictures.shape[0])
            terms.append(try options.divergenceWeight * (divergence / count))
        }
        if options.scaleWeight > 0 {
            let scale = model.configuration.scalingFactor
            let excess = try scale * scale * squares.mean() - 1
            terms.append(try options.scaleWeight * (excess * excess))
        }
        return try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
    }

    /// Pictures of the data, each followed by what comes back of it.
    public func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage] {
        let indices = 0..<min(max(count / 2, 1), data.pictures.count)
        return try indices.flatMap { index in
            let sample = TrainingSample(index: index)
            let pixels = try data.pixels(of: [sample], in: start.library)
            let decoded = try model.decode(model.encode(placed(pixels)).mean)
            return [try data.picture(index), try RGBImage(decoded: decoded)]
        }
    }

    public func save(to folder: String) throws {
        try start.save([Self.component: parameters], as: savedDType, to: folder)
    }

    /// In the dtype and on the device of the model.
    private func placed(_ tensor: Tensor) throws -> Tensor {
        guard let parameter = parameters.first?.value else { return tensor }
        return try tensor.converted(to: parameter.dtype).moved(to: parameter.device)
    }
}

extension AutoencoderObjective.Options {
    func check() throws {
        for (name, weight) in [
            ("absolute_weight", absoluteWeight), ("squared_weight", squaredWeight),
            ("divergence_weight", divergenceWeight), ("scale_weight", scaleWeight),
        ] where !(weight >= 0 && weight.isFinite) {
            throw TrainingError.invalidArgument(
                name: name, reason: "\(weight) is no finite number from 0 on.")
        }
        guard absoluteWeight > 0 || squaredWeight > 0 else {
            throw TrainingError.invalidArgument(
                name: "absolute_weight, squared_weight",
                reason: "both are 0, so that nothing asks for the picture to come back.")
        }
    }
}
