import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct ShardedCheckpointTests {
    let library: LibTorch
    let scratch: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        scratch = try TemporaryFolder()
        let fixtures = try Reference.fixtures.folder
        for name in ["small.safetensors", "small.bin"] {
            try FileManager.default.copyItem(
                atPath: fixtures.file(name), toPath: scratch.file(name))
        }
    }

    private func index(_ text: String) throws -> String {
        try scratch.write(text.utf8, to: "model.safetensors.index.json")
    }

    @Test func readsTensorsFromTheirShards() throws {
        let path = try index(
            #"{"metadata":{"total_size":1.5},"weight_map":{"b":"small.safetensors","a":"small.bin"}}"#
        )
        let checkpoint = try ShardedCheckpoint(path: path, in: library)
        #expect(checkpoint.names == ["a", "b"])
        #expect(checkpoint.contains("a") && !checkpoint.contains("c"))
        #expect(try checkpoint.tensor(named: "a").shape == [2])
        #expect(try checkpoint.spec(of: "b") == TensorSpec(shape: [3], dtype: .float16))
        #expect(throws: CheckpointError.missingTensor(path: path, name: "c")) {
            try checkpoint.tensor(named: "c")
        }
    }

    @Test func aShardMayBeASymbolicLink() throws {
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("linked.safetensors"),
            withDestinationPath: Reference.fixtures.folder.file("small.safetensors"))
        let path = try index(#"{"weight_map":{"a":"linked.safetensors"}}"#)
        #expect(try ShardedCheckpoint(path: path, in: library).tensor(named: "a").shape == [2])
    }

    @Test func shardsAreOpenedWhenTheyAreNeeded() throws {
        let path = try index(#"{"weight_map":{"a":"small.bin","b":"missing.bin"}}"#)
        let checkpoint = try ShardedCheckpoint(path: path, in: library)
        #expect(try checkpoint.tensor(named: "a").shape == [2])
        let error = try #require(throws: CheckpointError.self) {
            try checkpoint.tensor(named: "b")
        }
        #expect("\(error)".contains(scratch.file("missing.bin")))
    }

    @Test func aTensorThatItsShardLacksIsAnErrorThatNamesTheShard() throws {
        let path = try index(#"{"weight_map":{"z":"small.bin"}}"#)
        let error = CheckpointError.missingTensor(path: scratch.file("small.bin"), name: "z")
        let checkpoint = try ShardedCheckpoint(path: path, in: library)
        #expect(throws: error) { try checkpoint.tensor(named: "z") }
        #expect(throws: error) { try checkpoint.tensor(named: "z", shape: [2]) }
    }

    @Test(arguments: [
        "../x", "/etc/passwd", "a/b", #"..\\x"#, "..", ".", "", "a\\u0000b", "\\u002e\\u002e/x",
    ])
    func otherThanPlainFileNamesAreRefused(name: String) throws {
        let path = try index(#"{"weight_map":{"a":"\#(name)"}}"#)
        let error = try #require(throws: CheckpointError.self) {
            try ShardedCheckpoint(path: path, in: library)
        }
        #expect("\(error)".contains("not the plain name of a file"), "\(error)")
    }

    @Test(arguments: [
        ("{}", "no \"weight_map\""),
        ("[]", "An object"),
        (#"{"weight_map":[]}"#, "An object"),
        (#"{"weight_map":{"a":1}}"#, "quotes"),
        (#"{"weight_map":{"a":"x","a":"y"}}"#, "appears twice"),
        (#"{"weight_map":{},"weight_map":{}}"#, "appears twice"),
        (#"{"weight_map":{}"#, "is expected"),
        (#"{"weight_map":{}} x"#, "More text"),
        (#"{"metadata":-}"#, "A value is expected"),
        (#"{"metadata":1.}"#, "ends in a point"),
    ])
    func damagedIndexFilesAreErrors(text: String, words: String) throws {
        let path = try index(text)
        let error = try #require(throws: CheckpointError.self) {
            try ShardedCheckpoint(path: path, in: library)
        }
        #expect("\(error)".contains(words) && "\(error)".contains(path), "\(error)")
    }
}
