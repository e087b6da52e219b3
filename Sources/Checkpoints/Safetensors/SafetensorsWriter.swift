import Files
import Torch

/// Writes tensors as a safetensors file, byte for byte as `safetensors.torch.save_file` does.
///
/// The largest elements come first, so that each tensor stands at a multiple of its element's size
/// and can be used where the file is mapped. Equal tensors give equal bytes.
public enum SafetensorsWriter {
    /// Writes `tensors`, of any shape, dtype, layout and device, as contiguous ones.
    ///
    /// The file appears whole or not at all; see `AtomicFile`. No more than one tensor is copied at a
    /// time.
    /// - Parameters:
    ///   - tensors: by their names.
    ///   - metadata: free texts for readers; diffusers and transformers insist on "format": "pt".
    ///   - path: where to write.
    /// - Throws: `WriteError`, also for the name `__metadata__`, which the format keeps for itself;
    ///   `TorchError` if a tensor cannot be copied.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to path: String
    ) throws {
        try write(from: InMemorySource(tensors), metadata: metadata, to: path)
    }

    /// Writes what a source holds.
    ///
    /// - Parameters:
    ///   - source: of the tensors.
    ///   - dtype: of those that hold real numbers; as the source has them unless given.
    ///   - metadata: free texts for readers; diffusers and transformers insist on "format": "pt".
    ///   - path: where to write. Not the source's own file.
    /// - Throws: as with tensors by name, and what is wrong with the source.
    public static func write(
        from source: any TensorSource, dtype: DType? = nil,
        metadata: [String: String] = ["format": "pt"], to path: String
    ) throws {
        let entries = try source.names.map { name in
            let spec = try source.spec(of: name)
            return Entry(
                name: name, shape: spec.shape,
                dtype: spec.dtype.isFloatingPoint ? dtype ?? spec.dtype : spec.dtype)
        }.sorted(by: Entry.stand)
        guard !source.names.contains(metadataKey) else {
            throw WriteError(
                path: path, reason: "\"\(metadataKey)\" is not the name of a tensor in safetensors")
        }
        let header = header(of: entries, metadata)
        guard header.count <= SafetensorsHeader.maximumSize else {
            throw WriteError(
                path: path,
                reason: "a header of \(header.count) bytes is more than safetensors allows")
        }
        try AtomicFile.write(to: path) { file in
            try (littleEndian(UInt64(header.count)) + header).withUnsafeBytes {
                try file.append($0)
            }
            for entry in entries {
                let plain = try source.tensor(named: entry.name, shape: entry.shape)
                    .converted(to: entry.dtype).moved(to: .cpu).contiguous()
                try plain.withUnsafeBytes { try file.append($0) }
            }
        }
    }

    private static let metadataKey = "__metadata__"
    /// The data begin at a multiple of this.
    private static let alignment = 8

    private struct Entry {
        let name: String
        let shape: [Int]
        let dtype: DType

        var byteCount: Int { shape.reduce(dtype.byteCount, *) }

        /// Whether one tensor stands before another.
        static func stand(_ a: Entry, before b: Entry) -> Bool {
            // By bytes, as Rust compares strings; Swift's own order is Unicode's.
            a.dtype == b.dtype
                ? a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
                : SafetensorsWriter.rank(a.dtype) < SafetensorsWriter.rank(b.dtype)
        }
    }

    /// The reference's order of types among those that tensors have here.
    private static func rank(_ dtype: DType) -> Int {
        let order: [DType] = [
            .int64, .float64, .float32, .int32, .bfloat16, .float16, .int16, .int8, .uint8, .bool,
        ]
        return order.firstIndex(of: dtype) ?? order.count
    }

    /// The header's JSON, filled up with blanks to the alignment.
    private static func header(of entries: [Entry], _ metadata: [String: String]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }
                .map { "\(JSONText.string($0.key)):\(JSONText.string($0.value))" }
            members.append("\(JSONText.string(metadataKey)):{\(texts.joined(separator: ","))}")
        }
        var position = 0
        for entry in entries {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = position + entry.byteCount
            members.append(
                """
                \(JSONText.string(entry.name)):{"dtype":"\(SafetensorsDType(entry.dtype).rawValue)",\
                "shape":[\(shape)],"data_offsets":[\(position),\(end)]}
                """)
            position = end
        }
        let text = Array("{\(members.joined(separator: ","))}".utf8)
        let padding = (alignment - text.count % alignment) % alignment
        return text + [UInt8](repeating: UInt8(ascii: " "), count: padding)
    }
}
