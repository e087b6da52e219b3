import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct TorchFileWriterTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    private func tensors() throws -> [Tensor] {
        let generator = NoiseGenerator(seed: 1)
        let latents = try generator.normal([1, 4, 64, 64], in: library)
        let shapes = [[], [0], [3, 0, 2], [1], [7], [300, 300], [1, 4, 8, 8]]
        var tensors = try shapes.map { try generator.normal($0, in: library) } + [latents]
        for dtype in [DType.float16, .bfloat16, .float64, .int64, .int32, .uint8] {
            tensors.append(try (100 * latents).converted(to: dtype))
        }
        let wide = try generator.normal([2, 3, 4, 5], in: library)
        tensors.append(try wide.permuted([0, 2, 3, 1]))
        tensors.append(try wide.contiguous(.channelsLast))
        tensors.append(try wide.narrowed(dimension: 1, start: 1, length: 1))
        return tensors
    }

    @Test func torchReadsTheSameTensor() throws {
        let scratch = try TemporaryFolder()
        let tensors = try tensors()
        for (index, tensor) in tensors.enumerated() {
            try TorchFileWriter.write(tensor, to: scratch.file("hidden_\(index).pt"))
        }
        let answers = try JSONDecoder().decode(
            [TensorFacts].self,
            from: Reference.script.run(
                ["read_tensors"] + tensors.indices.map { scratch.file("hidden_\($0).pt") }))
        #expect(answers.count == tensors.count)
        for (tensor, facts) in zip(tensors, answers) {
            #expect(facts.shape == tensor.shape)
            #expect(facts.dtype == (try tensor.dtype.rawValue))
            #expect(facts.bytes == (try tensor.contents))
            #expect(facts.isPlain)
        }
    }

    @Test func itsOwnFilesAreReadBack() throws {
        let scratch = try TemporaryFolder()
        for tensor in try tensors() {
            try TorchFileWriter.write(tensor, to: scratch.file("a.pt"))
            let file = try TorchFile(path: scratch.file("a.pt"), in: library)
            let read = try file.tensor(named: TorchFile.bareTensorName)
            #expect(read.shape == tensor.shape)
            #expect(try read.contents == tensor.contents)
        }
    }

    @Test func equalTensorsGiveEqualBytesWhateverTheFilesName() throws {
        let scratch = try TemporaryFolder()
        let tensor = try NoiseGenerator(seed: 2).normal([1, 4, 8, 8], in: library)
        try TorchFileWriter.write(tensor, to: scratch.file("a.pt"))
        try TorchFileWriter.write(tensor.cloned(), to: scratch.file("b.pt"))
        #expect(try bytes(ofFile: scratch.file("a.pt")) == bytes(ofFile: scratch.file("b.pt")))
    }

    @Test func elementsStandAtAMultipleOf64() throws {
        let scratch = try TemporaryFolder()
        let tensor = try NoiseGenerator(seed: 2).normal([1, 4, 8, 8], in: library)
        try TorchFileWriter.write(tensor, to: scratch.file("a.pt"))
        let archive = try Reference.archive(atPath: scratch.file("a.pt"))
        #expect(archive.entries.allSatisfy { $0.range.lowerBound % 64 == 0 })
        #expect(archive.entries.contains { $0.name == "archive/data/0" && $0.range.count == 1024 })
    }

    @Test func aFolderThatIsNotThereIsNamed() throws {
        let scratch = try TemporaryFolder()
        let tensor = try NoiseGenerator(seed: 2).normal([1], in: library)
        let path = scratch.file("missing/a.pt")
        let error = WriteError(path: path, reason: "No such file or directory")
        #expect(throws: error) { try TorchFileWriter.write(tensor, to: path) }
    }
}
