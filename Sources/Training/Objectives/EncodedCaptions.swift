import Diffusion
import Torch

/// What a text encoder that does not learn makes of captions, each computed when it first comes, as long as
/// there is room to keep it.
///
/// Captions are encoded one by one, so that a run that goes on from a checkpoint, where other captions are
/// new in a batch, has the same bits.
final class EncodedCaptions {
    /// Bytes that may be kept: the captions of a thousand pictures for Stable Diffusion 1.5.
    private static let room = 256 << 20

    private let encode: ([String]) throws -> Tensor
    private var known: [String: Tensor] = [:]
    private var byteCount = 0

    /// - Parameter encode: gives `[N, tokens, size]` for N captions.
    init(by encode: @escaping ([String]) throws -> Tensor) {
        self.encode = encode
    }

    /// `[N, tokens, size]`
    func callAsFunction(_ captions: [String]) throws -> Tensor {
        try Tensor.concatenated(captions.map(encoded), dimension: 0)
    }

    private func encoded(_ caption: String) throws -> Tensor {
        if let hidden = known[caption] { return hidden }
        let hidden = try encode([caption])
        byteCount += try hidden.count * hidden.dtype.byteCount
        if byteCount <= Self.room { known[caption] = hidden }
        return hidden
    }
}
