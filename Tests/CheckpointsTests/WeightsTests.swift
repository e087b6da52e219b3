import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct WeightsTests {
    let library: LibTorch
    let source: InMemorySource

    init() throws {
        library = try LibTorch.shared()
        let tensor = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2], in: library)
        let numbers = try Tensor([0, 1] as [Int64], shape: [2], in: library)
        source = InMemorySource(
            [
                "conv_in.weight": tensor, "down.0.weight": tensor, "down.1.weight": tensor,
                "down.10.weight": tensor, "text.position_ids": numbers,
            ], location: "/model/weights")
    }

    @Test func scopesJoinNames() throws {
        let weights = Weights(source) / "down"
        #expect(weights.prefix == "down")
        #expect((weights / 0).prefix == "down.0")
        #expect((weights / 0).contains("weight"))
        #expect(!(weights / 0).contains("bias"))
        #expect(try (weights / 1).shape(of: "weight") == [2, 2])
    }

    @Test func aTensorThatIsRightIsNotCopied() throws {
        let tensor = try (Weights(source) / "conv_in").tensor("weight", shape: [2, 2])
        #expect(
            try tensor.withUnsafeBytes { $0.baseAddress }
                == source.tensor(named: "conv_in.weight").withUnsafeBytes { $0.baseAddress })
    }

    @Test func parametersAreCopiesOfTheirOwn() throws {
        let parameters = Parameters()
        let weights = Weights(source, keepingIn: parameters) / "down"
        let tensor = try (weights / 0).tensor("weight", shape: [2, 2])
        #expect(parameters.tensors.keys.sorted() == ["down.0.weight"])
        #expect(parameters.tensors["down.0.weight"] === tensor)
        #expect(try (weights / 0).tensor("weight", shape: [2, 2]) === tensor)
        #expect(try (weights / 1).tensor("weight", shape: [2, 2]) !== tensor)
        try tensor.withUnsafeMutableBytes { $0.storeBytes(of: 7, as: Float.self) }
        #expect(try tensor.elements(as: Float.self) == [7, 2, 3, 4])
        let stored = try source.tensor(named: "down.0.weight")
        #expect(try stored.elements(as: Float.self) == [1, 2, 3, 4])
    }

    @Test(arguments: [DType.float32, .float16, .bfloat16])
    func tensorsAreConverted(dtype: DType) throws {
        let tensor = try Weights(source, dtype: dtype).tensor("conv_in.weight", shape: [2, 2])
        #expect(try tensor.dtype == dtype)
        #expect(try tensor.elements(as: Float.self) == [1, 2, 3, 4])
    }

    @Test func aTransposedTensorComesInRowMajorOrder() throws {
        let transposed = try source.tensor(named: "conv_in.weight").transposed(0, 1)
        let tensor = try Weights(InMemorySource(["a": transposed])).tensor("a", shape: [2, 2])
        #expect(try tensor.isContiguous)
        #expect(try tensor.elements(as: Float.self) == [1, 3, 2, 4])
    }

    @Test func anotherShapeIsAnErrorWithBoth() throws {
        let weights = Weights(source) / "down" / 0
        let error = CheckpointError.shapeMismatch(
            path: "/model/weights", name: "down.0.weight", expected: [4, 1], found: [2, 2])
        #expect(throws: error) { try weights.tensor("weight", shape: [4, 1]) }
        for words in ["/model/weights", "down.0.weight", "[4, 1]", "[2, 2]"] {
            #expect("\(error)".contains(words))
        }
    }

    @Test func aMissingTensorIsNamedInFull() throws {
        let error = CheckpointError.missingTensor(path: "/model/weights", name: "down.0.bias")
        let weights = Weights(source) / "down" / 0
        #expect(throws: error) { try weights.tensor("bias", shape: [2]) }
        #expect(throws: error) { try weights.shape(of: "bias") }
    }

    @Test func integersAreNoWeights() throws {
        #expect(
            throws: CheckpointError.unsupportedDType(
                path: "/model/weights", name: "text.position_ids", dtype: "int64")
        ) {
            try Weights(source).tensor("text.position_ids", shape: [2])
        }
    }

    @Test func unusedTensorsAreListedWithinTheScope() throws {
        let weights = Weights(source)
        let down = weights / "down"
        _ = try (down / 1).tensor("weight", shape: [2, 2])
        try (down / 1).finish()
        let unused = ["down.0.weight", "down.10.weight"]
        #expect(throws: CheckpointError.unusedTensors(path: "/model/weights", names: unused)) {
            try down.finish()
        }
        for index in [0, 10] { _ = try (down / index).tensor("weight", shape: [2, 2]) }
        try down.finish()
        #expect(throws: CheckpointError.self) { try weights.finish() }
        _ = try weights.tensor("conv_in.weight", shape: [2, 2])
        try weights.finish()
        #expect(throws: CheckpointError.self) { try weights.finish(ignoring: []) }
    }

    @Test func otherPartsThanExpectedAreListed() throws {
        let weights = Weights(source)
        try weights.expect(only: ["conv_in", "down", "text"])
        #expect(
            throws: CheckpointError.unusedTensors(
                path: "/model/weights", names: ["conv_in.weight", "text.position_ids"])
        ) {
            try weights.expect(only: ["down", "conv"])
        }
        try (weights / "down").expect(only: ["0", "1", "10"])
    }

    @Test func randomWeightsDependOnTheNameAlone() throws {
        let first = Weights(RandomSource(seed: 3, in: library))
        let second = Weights(RandomSource(seed: 3, in: library))
        let a = try first.tensor("a.weight", shape: [8, 4, 3, 3])
        let b = try first.tensor("b.weight", shape: [8, 4, 3, 3])
        let again = try second.tensor("b.weight", shape: [8, 4, 3, 3])
        #expect(try b.contents == again.contents)
        #expect(try a.contents != b.contents)
        #expect(
            try a.contents
                != Weights(RandomSource(seed: 4, in: library)).tensor(
                    "a.weight", shape: [8, 4, 3, 3]
                )
                .contents)
        try first.finish()
        let variance = try a.elements(as: Double.self).reduce(0) { $0 + $1 * $1 } / Double(a.count)
        #expect(abs(variance * 36 - 1) < 0.3)
        let norm = try first.tensor("norm.weight", shape: [64]).elements(as: Float.self)
        #expect(norm.allSatisfy { abs($0 - 1) < 0.2 })
    }

    /// Their pages leave this process and come back with the same numbers when they are read.
    @Test func filePagesAreGivenBack() throws {
        let scratch = try TemporaryFolder()
        let count = 1 << 20
        let header = """
            {"a.weight": {"dtype": "F32", "shape": [\(count)], "data_offsets": [0, \(4 * count)]}}
            """
        let padded = header + String(repeating: " ", count: 8 - header.utf8.count % 8)
        var bytes = withUnsafeBytes(of: UInt64(padded.utf8.count).littleEndian) { [UInt8]($0) }
        bytes += padded.utf8
        bytes += (0..<count).flatMap { number in
            withUnsafeBytes(of: Float(number)) { [UInt8]($0) }
        }
        let path = try scratch.write(bytes, to: "model.safetensors")
        let weights = Weights(try SafetensorsFile(path: path, in: library)) / "a"
        let tensor = try weights.tensor("weight", shape: [count])
        let expected = (0..<count).map(Float.init)
        #expect(try tensor.elements(as: Float.self) == expected)
        #expect(try residentBytes(of: path) >= 4 * count)
        try (weights / "elsewhere").giveBackPages()
        #expect(try residentBytes(of: path) >= 4 * count)
        try weights.giveBackPages()
        #expect(try residentBytes(of: path) < count)
        #expect(try tensor.elements(as: Float.self) == expected)
    }

    /// How much of a mapped file counts as this process's memory.
    private func residentBytes(of path: String) throws -> Int {
        // Line by line: such a file comes in pieces, and Foundation stops at the first one.
        let maps = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(maps) }
        var buffer = [CChar](repeating: 0, count: 8192)
        var lines: [String] = []
        while fgets(&buffer, Int32(buffer.count), maps) != nil {
            let text = buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
            lines.append(String(decoding: text, as: UTF8.self))
        }
        let start = try #require(lines.firstIndex { $0.hasSuffix(path) })
        let line = try #require(lines[start...].first { $0.hasPrefix("Rss:") })
        return try 1024 * #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
