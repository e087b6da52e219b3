import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

/// Files of latents with a note, which torch reads as if it were not there.
@Suite struct SavedTensorTests {
    private let scratch: TemporaryFolder
    private let path: String
    private let elements: [UInt8]
    private let shape = [1, 4, 3, 5]
    private let note = "{\"ü\": 😀}"

    init() throws {
        scratch = try TemporaryFolder()
        path = scratch.file("a.pt")
        elements = (0..<60).map { Float($0) / 7 }.withUnsafeBytes { Array($0) }
        try elements.withUnsafeBytes {
            try TorchFileWriter.write($0, shape: shape, dtype: .float32, note: note, to: path)
        }
    }

    @Test func torchPassesOverTheNote() throws {
        let answers = try JSONDecoder().decode(
            [TensorFacts].self, from: Reference.script.run(["read_tensors", path]))
        #expect(answers.first?.shape == shape)
        #expect(answers.first?.bytes == Data(elements))
        #expect(answers.first?.isPlain == true)
    }

    @Test func whatWasWrittenIsReadBack() throws {
        let saved = try SavedTensor(path: path)
        #expect(saved.shape == shape)
        #expect(saved.dtype == .float32)
        #expect(saved.elements == elements)
        #expect(saved.note == note)
    }

    @Test func aFileOfAnotherProgramIsReadWithoutNote() throws {
        let tensor = try NoiseGenerator(seed: 2).normal([2, 3], in: LibTorch.shared())
        try TorchFileWriter.write(tensor, to: path)
        let saved = try SavedTensor(path: path)
        #expect(saved.note == nil)
        #expect(try Data(saved.elements) == tensor.contents)
    }

    /// What a disk or a copy that was cut off does to a file.
    @Test func everyChangedByteThatCountsIsSeen() throws {
        let whole = try scratch.read("a.pt")
        let original = try SavedTensor(path: path)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0x20
            try scratch.write(bytes, to: "a.pt")
            // Padding and dates are nobody's.
            guard let saved = try? SavedTensor(path: path) else { continue }
            #expect(saved.elements == original.elements, "byte \(place)")
            #expect(saved.shape == original.shape, "byte \(place)")
            #expect(saved.note == original.note || saved.note == nil, "byte \(place)")
        }
        for length in whole.indices {
            try scratch.write(whole.prefix(length), to: "a.pt")
            #expect(throws: CheckpointError.self) { try SavedTensor(path: path) }
        }
    }

    @Test func theWrongNumberOfBytesIsRefused() {
        #expect(throws: (any Error).self) {
            try elements.withUnsafeBytes {
                try TorchFileWriter.write($0, shape: [61], dtype: .float32, to: path)
            }
        }
    }
}
