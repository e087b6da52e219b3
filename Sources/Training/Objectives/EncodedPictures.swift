import Diffusion
import Torch

/// What an autoencoder makes of the pictures of a run, each computed when it first comes.
///
/// Pictures are encoded one by one, so that a run that goes on from a checkpoint, where other pictures
/// are new in a batch, has the same bits.
final class EncodedPictures {
    private let autoencoder: AutoencoderKL
    private let dtype: DType
    private let device: Device
    private let library: LibTorch
    private var known: [TrainingSample: (mean: Tensor, standardDeviation: Tensor)] = [:]

    init(by autoencoder: AutoencoderKL, dtype: DType, device: Device, in library: LibTorch) {
        self.autoencoder = autoencoder
        self.dtype = dtype
        self.device = device
        self.library = library
    }

    /// The posteriors' means and standard deviations, `[N, C, h, w]`, times the scaling factor.
    func callAsFunction(_ batch: TrainingBatch) throws -> (mean: Tensor, standardDeviation: Tensor)
    {
        let each = try batch.samples.map { try encoded($0, of: batch.data) }
        return (
            try Tensor.concatenated(each.map(\.mean), dimension: 0),
            try Tensor.concatenated(each.map(\.standardDeviation), dimension: 0)
        )
    }

    private func encoded(
        _ sample: TrainingSample, of data: TrainingData
    ) throws -> (mean: Tensor, standardDeviation: Tensor) {
        if let known = known[sample] { return known }
        let pixels = try data.pixels(of: [sample], in: library)
        let posterior = try autoencoder.encode(pixels.converted(to: dtype).moved(to: device))
        let scale = autoencoder.configuration.scalingFactor
        let encoded = (
            try scale * posterior.mean, try scale * posterior.standardDeviation()
        )
        known[sample] = encoded
        return encoded
    }
}
