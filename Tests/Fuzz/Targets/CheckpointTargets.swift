@testable import Checkpoints

/// Files of tensors, read from memory; what they claim to hold has to lie within them.
enum CheckpointTargets {
    static let all = [safetensors, pickle, torchFile, shardIndex]

    static let safetensors = FuzzTarget(name: "safetensors") { bytes in
        let header = try SafetensorsHeader(of: bytes, path: "file")
        var reached = header.entries.first?.range.lowerBound ?? bytes.count
        for entry in header.entries {
            try Fault.unless(entry.range.lowerBound == reached, "\(entry) leaves a hole")
            reached = entry.range.upperBound
            try Fault.unless(reached <= bytes.count, "\(entry) reaches beyond the file")
            let bits = TensorGeometry.elementCount(of: entry.shape).flatMap {
                TensorGeometry.product([$0, entry.dtype.bitCount])
            }
            try Fault.unless(bits == 8 * entry.range.count, "\(entry) has another size")
        }
        try Fault.unless(reached == bytes.count, "bytes are left over")
    }

    /// Run as in a file that has a record of 16 bytes for storage "0", of 32 for "1" and so on.
    static let pickle = FuzzTarget(name: "pickle") { bytes in
        let recordSize: (String) -> Int? = { key in
            Int(key).flatMap { (0...9).contains($0) ? 16 << $0 : nil }
        }
        let output = try PickleMachine.run(
            bytes, path: "file", recordName: "data.pkl", recordSize: recordSize)
        for tensor in output.heap.tensors { try check(tensor, recordSize) }
        _ = try TorchFileContents.tensors(in: output, path: "file")
    }

    static let torchFile = FuzzTarget(name: "torch-file") { bytes in
        for entry in try ZipArchive(of: bytes, path: "file").entries {
            try Fault.unless(entry.range.upperBound <= bytes.count, "\(entry) is outside")
        }
        let contents = try TorchFileContents(of: bytes, path: "file")
        for tensor in contents.tensors.values {
            try check(tensor) { contents.records[$0]?.count }
        }
    }

    static let shardIndex = FuzzTarget(name: "shard-index") { bytes in
        for name in try ShardIndex(of: bytes, path: "file").weightMap.values {
            let isPlain = !name.utf8.contains { [0, 0x2f, 0x5c].contains($0) }
            try Fault.unless(
                isPlain && !["", ".", ".."].contains(name), "a shard is called \(name)")
        }
    }

    private static func check(_ tensor: PickledTensor, _ recordSize: (String) -> Int?) throws {
        let reach =
            tensor.shape.contains(0)
            ? 0 : TensorGeometry.reach(shape: tensor.shape, strides: tensor.strides)
        let bytes = reach.flatMap { TensorGeometry.sum($0, tensor.offset) }.flatMap {
            TensorGeometry.product([$0, tensor.storage.dtype.byteCount])
        }
        let size = recordSize(tensor.storage.key)
        try Fault.unless(
            tensor.offset >= 0 && bytes.map { $0 <= size ?? -1 } ?? false,
            "\(tensor) reaches beyond its record of \(size ?? -1) bytes")
    }
}
