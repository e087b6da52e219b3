import Files
import Torch

/// Writes one tensor as a `.pt` file that `torch.load(path, weights_only=True)` reads.
///
/// The layout is that of `torch.save` in torch 2.13 for a file without a name: a zip file of stored
/// entries, the elements at a multiple of 64 bytes so that they can be mapped. What torch adds for
/// its own records (a random `serialization_id`) is left out, so equal tensors give equal bytes.
public enum TorchFileWriter {
    /// Writes `tensor`, of any shape, dtype, layout and device, as a contiguous tensor on the CPU
    /// without gradient.
    ///
    /// The file appears whole or not at all; see `AtomicFile`, and there what SIGXFSZ does.
    /// - Throws: `WriteError`; `TorchError` if the tensor cannot be copied.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let plain = try tensor.moved(to: .cpu).contiguous()
        let pickle = TensorPickle.bytes(shape: plain.shape, dtype: try plain.dtype)
        try AtomicFile.write(to: path) { file in
            var zip = ZipWriter(path: path)
            try zip.add("data.pkl", pickle, to: file)
            try zip.add(".format_version", Array("1".utf8), to: file)
            try zip.add(".storage_alignment", Array("\(ZipWriter.alignment)".utf8), to: file)
            try zip.add("byteorder", Array("little".utf8), to: file)
            try plain.withUnsafeBytes { try zip.add("data/0", $0, to: file) }
            try zip.add("version", Array("3\n".utf8), to: file)
            try zip.finish(to: file)
        }
    }
}
