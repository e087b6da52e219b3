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
        let (shape, dtype) = (plain.shape, try plain.dtype)
        try plain.withUnsafeBytes { try write($0, shape: shape, dtype: dtype, to: path) }
    }

    /// Writes a tensor's elements.
    ///
    /// - Parameters:
    ///   - elements: in row-major order, as many as `shape` says.
    ///   - shape: the size of each dimension.
    ///   - dtype: of the elements.
    ///   - path: where to write.
    ///   - note: text that the file carries beside the tensor, for `SavedTensor`; torch passes over it.
    /// - Throws: `WriteError`.
    public static func write(
        _ elements: UnsafeRawBufferPointer, shape: [Int], dtype: DType, note: String? = nil,
        to path: String
    ) throws {
        guard elements.count == shape.reduce(dtype.byteCount, *) else {
            throw WriteError(
                path: path, reason: "\(elements.count) bytes are not a \(dtype) tensor of \(shape)")
        }
        try AtomicFile.write(to: path) { file in
            var zip = ZipWriter(path: path)
            try zip.add("data.pkl", TensorPickle.bytes(shape: shape, dtype: dtype), to: file)
            try zip.add(".format_version", Array("1".utf8), to: file)
            try zip.add(".storage_alignment", Array("\(ZipWriter.alignment)".utf8), to: file)
            try zip.add("byteorder", Array("little".utf8), to: file)
            try zip.add("data/0", elements, to: file)
            try zip.add("version", Array("3\n".utf8), to: file)
            if let note { try zip.add(SavedTensor.noteName, Array(note.utf8), to: file) }
            try zip.finish(to: file)
        }
    }
}
