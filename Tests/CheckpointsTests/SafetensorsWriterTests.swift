import Files
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct SafetensorsWriterTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    /// What the reference reads.
    private struct Answer: Decodable {
        let metadata: [String: String]?
        let facts: [String: TensorFacts]
    }

    /// Of every type and of odd shapes, layouts and names.
    private func tensors() throws -> [String: Tensor] {
        let wide = try NoiseGenerator(seed: 1).normal([2, 3, 4, 5], in: library)
        var tensors = [
            "scalar": try Tensor([2.5] as [Float], shape: [], in: library),
            "empty": try Tensor([] as [Float], shape: [3, 0, 2], in: library),
            "permuted": try wide.permuted([0, 2, 3, 1]),
            "channels.last": try wide.contiguous(.channelsLast),
            "narrowed": try wide.narrowed(dimension: 1, start: 1, length: 1),
            "e\u{301}tude, \u{e9}tude \"\\\n\u{1}\u{7f}/": wide,
            "\u{1F600}": wide, "\u{FFFD}": wide,
        ]
        for dtype in DType.allCases {
            tensors["\(dtype)"] = try (100 * wide).converted(to: dtype)
            // An odd number of the smallest elements, with others after them.
            tensors["z.\(dtype)"] = try wide.narrowed(dimension: 0, start: 0, length: 1)
                .narrowed(dimension: 2, start: 0, length: 1).converted(to: dtype)
        }
        return tensors
    }

    @Test(arguments: [
        ["format": "pt"], [:], ["format": "\"pt\"\t", "what": "weights"],
    ])
    func theReferenceReadsTheSame(metadata: [String: String]) throws {
        let scratch = try TemporaryFolder()
        let tensors = try tensors()
        let path = scratch.file("ours.safetensors")
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        let answer: Answer = try Reference.script.run(
            "resaved", path, scratch.file("theirs.safetensors"))
        #expect(answer.metadata ?? [:] == metadata)
        #expect(Set(answer.facts.keys) == Set(tensors.keys))
        for (name, facts) in answer.facts {
            let tensor = try #require(tensors[name])
            #expect(facts.shape == tensor.shape)
            #expect(facts.dtype == (try tensor.dtype.rawValue))
            #expect(facts.bytes == (try tensor.contents), "\(name)")
        }
        // Of several metadata the reference's order is any.
        if metadata.count < 2 {
            let theirs = try scratch.read("theirs.safetensors")
            #expect(try scratch.read("ours.safetensors") == theirs)
        }
    }

    @Test func itsOwnFilesAreReadBackAsViews() throws {
        let scratch = try TemporaryFolder()
        let tensors = try tensors()
        let path = scratch.file("a.safetensors")
        try SafetensorsWriter.write(tensors, to: path)
        let file = try SafetensorsFile(path: path, in: library)
        #expect(file.metadata == ["format": "pt"])
        #expect(Set(file.names) == Set(tensors.keys))
        for (name, tensor) in tensors {
            let read = try file.tensor(named: name)
            #expect(read.shape == tensor.shape)
            #expect(try read.dtype == tensor.dtype)
            #expect(try read.contents == tensor.contents)
            let again = try file.tensor(named: name)
            #expect(try again.address == read.address, "\(name) is a copy")
        }
    }

    @Test func noTensorsAreAFileToo() throws {
        let scratch = try TemporaryFolder()
        try SafetensorsWriter.write([:], metadata: [:], to: scratch.file("a.safetensors"))
        let file = try SafetensorsFile(path: scratch.file("a.safetensors"), in: library)
        #expect(file.names.isEmpty)
    }

    @Test func whatCannotBeWrittenIsNamedAndLeavesNothing() throws {
        let scratch = try TemporaryFolder()
        let tensor = try Tensor([1] as [Float], shape: [1], in: library)
        let path = scratch.file("missing/a.safetensors")
        let error = WriteError(path: path, reason: "No such file or directory")
        #expect(throws: error) { try SafetensorsWriter.write(["a": tensor], to: path) }
        #expect(throws: WriteError.self) {
            try SafetensorsWriter.write(
                ["__metadata__": tensor], to: scratch.file("a.safetensors"))
        }
        #expect(try scratch.contents().isEmpty)
    }
}
