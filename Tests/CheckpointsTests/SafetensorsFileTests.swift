import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct SafetensorsFileTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    @Test(arguments: ["every-dtype.safetensors", "unaligned.safetensors"])
    func readsWhatTheReferenceReads(name: String) throws {
        let fixtures = try Reference.fixtures
        let file = try SafetensorsFile(path: fixtures.folder.file(name), in: library)
        let expected = try #require(fixtures.facts[name])
        #expect(Set(file.names) == Set(expected.keys))
        for (name, facts) in expected {
            let tensor = try file.tensor(named: name)
            #expect(tensor.shape == facts.shape)
            #expect(try tensor.dtype.rawValue == facts.dtype)
            #expect(try tensor.contents == facts.bytes, "\(name)")
            #expect(try tensor.converted(to: .float32).contents == facts.float32, "\(name)")
            #expect(
                try file.spec(of: name) == TensorSpec(shape: tensor.shape, dtype: tensor.dtype))
        }
    }

    @Test func readsMetadata() throws {
        let file = try SafetensorsFile(
            path: Reference.fixtures.folder.file("every-dtype.safetensors"), in: library)
        #expect(file.metadata == ["format": "pt"])
    }

    /// A view's address lies in the mapping, whose pages are not counted as the program's own.
    @Test func alignedTensorsAreViewsAndUnalignedOnesCopies() throws {
        let folder = try Reference.fixtures.folder
        let aligned = try SafetensorsFile(path: folder.file("every-dtype.safetensors"), in: library)
        let first = try aligned.tensor(named: "torch.float32").withUnsafeBytes { $0.baseAddress }
        let again = try aligned.tensor(named: "torch.float32").withUnsafeBytes { $0.baseAddress }
        #expect(first == again)

        let unaligned = try SafetensorsFile(path: folder.file("unaligned.safetensors"), in: library)
        let copies = try (0..<2).map { _ in try unaligned.tensor(named: "a") }
        let addresses = try copies.map {
            try $0.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        }
        #expect(addresses[0] != addresses[1])
        #expect(addresses.allSatisfy { $0 % 64 == 0 })
    }

    @Test func aTensorOutlivesItsFile() throws {
        let scratch = try TemporaryFolder()
        let path = scratch.file("a.safetensors")
        let small = try Reference.fixtures.folder.file("small.safetensors")
        try FileManager.default.copyItem(atPath: small, toPath: path)
        let tensor = try SafetensorsFile(path: path, in: library).tensor(named: "a")
        try FileManager.default.removeItem(atPath: path)
        #expect(try tensor.elements(as: Float.self) == [1, 1])
    }

    @Test func aMissingTensorIsNamed() throws {
        let path = try Reference.fixtures.folder.file("small.safetensors")
        let file = try SafetensorsFile(path: path, in: library)
        #expect(throws: CheckpointError.missingTensor(path: path, name: "c")) {
            try file.tensor(named: "c")
        }
        #expect(!file.contains("c"))
        #expect(file.contains("a"))
    }

    // MARK: - Damage

    @Test func cutOrChangedAnywhereItIsNeverTakenWhereTheReferenceRefuses() throws {
        let path = try Reference.fixtures.folder.file("small.safetensors")
        let verdicts: Verdicts = try Reference.script.run("verdicts", "safetensors", path)
        let whole = try bytes(ofFile: path)
        let scratch = try TemporaryFolder()
        for (length, accepted) in verdicts.cut.enumerated() {
            #expect(try takes(whole.prefix(length), scratch) == accepted, "cut at \(length)")
        }
        for (position, accepted) in verdicts.flipped.enumerated() {
            var changed = whole
            changed[position] ^= 0x11
            #expect(try takes(changed, scratch) == accepted, "changed at \(position)")
        }
    }

    private func takes(_ bytes: some Sequence<UInt8>, _ scratch: TemporaryFolder) throws -> Bool {
        let path = try scratch.write(bytes, to: "changed.safetensors")
        do {
            let file = try SafetensorsFile(path: path, in: library)
            for name in file.names { _ = try file.tensor(named: name).contents }
            return true
        } catch is CheckpointError {
            return false
        }
    }
}
