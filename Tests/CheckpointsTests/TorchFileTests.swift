import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct TorchFileTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    @Test(arguments: ["state.bin", "module.bin", "training.ckpt", "bare.pt"])
    func readsWhatTheReferenceReads(name: String) throws {
        let fixtures = try Reference.fixtures
        let file = try TorchFile(path: fixtures.folder.file(name), in: library)
        let expected = try #require(fixtures.facts[name])
        #expect(Set(file.names) == Set(expected.keys))
        for (name, facts) in expected {
            let tensor = try file.tensor(named: name)
            #expect(tensor.shape == facts.shape)
            #expect(try tensor.dtype.rawValue == facts.dtype)
            #expect(try tensor.count == 0 || tensor.strides == facts.strides, "\(name)")
            #expect(try tensor.contents == facts.bytes, "\(name)")
            #expect(try tensor.converted(to: .float32).contents == facts.float32, "\(name)")
            #expect(
                try file.spec(of: name) == TensorSpec(shape: tensor.shape, dtype: tensor.dtype))
        }
    }

    @Test func wholeNumbersBesideTheTensorsAreKept() throws {
        let folder = try Reference.fixtures.folder
        let training = try TorchFile(path: folder.file("training.ckpt"), in: library)
        #expect(training.integers == ["epoch": 3, "step": -(1 << 40)])
        #expect(try TorchFile(path: folder.file("bare.pt"), in: library).integers.isEmpty)
    }

    @Test func tensorsAreViewsOfTheFileAndShareStorages() throws {
        let file = try TorchFile(path: Reference.fixtures.folder.file("state.bin"), in: library)
        let address = { (tensor: Tensor) in
            try tensor.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        }
        let whole = try file.tensor(named: "shared.transposed").transposed(0, 1)
        let row = try file.tensor(named: "shared.row")
        #expect(try address(row) - address(whole) == 2 * 6 * MemoryLayout<Float>.size)
    }

    @Test func otherFilesAreToldApart() throws {
        let fixtures = try Reference.fixtures
        let scratch = try TemporaryFolder()
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
        let tar = [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8)
        for (path, words) in [
            (fixtures.folder.file("legacy.bin"), "before 1.6. Save it again"),
            (try scratch.write(tar, to: "tar.bin"), "before 1.6. Save it again"),
            (try scratch.write(pointer.utf8, to: "pointer.bin"), "git lfs pull"),
            (try scratch.write("<html>".utf8, to: "page.bin"), "no file of torch"),
        ] {
            let error = try #require(throws: CheckpointError.self) {
                try TorchFile(path: path, in: library)
            }
            #expect("\(error)".contains(words) && "\(error)".contains(path), "\(error)")
        }
    }

    // MARK: - Damage

    @Test func cutAnywhereItIsRefused() throws {
        let path = try Reference.fixtures.folder.file("small.bin")
        let verdicts: Verdicts = try Reference.script.run("verdicts", "torch", path)
        let whole = try bytes(ofFile: path)
        let scratch = try TemporaryFolder()
        for (length, accepted) in verdicts.cut.enumerated() {
            #expect(try takes(whole.prefix(length), scratch) == accepted, "cut at \(length)")
        }
    }

    /// Without torch's verdict: what torch does not look at, such as padding, may change here too,
    /// and what is written twice has to agree here alone.
    @Test(arguments: [0x01, 0x11, 0x80, 0xff] as [UInt8])
    func changedAnywhereItEndsInATensorOrATypedError(mask: UInt8) throws {
        let whole = try bytes(ofFile: Reference.fixtures.folder.file("small.bin"))
        let scratch = try TemporaryFolder()
        var refused = 0
        for position in whole.indices {
            var changed = whole
            changed[position] ^= mask
            refused += try takes(changed, scratch) ? 0 : 1
        }
        #expect(refused > 400)
    }

    /// The checksum of the pickle is set right again, so that the machine itself meets the change.
    @Test(arguments: [0x01, 0x11, 0x80, 0xff] as [UInt8])
    func aPickleChangedAnywhereEndsInATensorOrATypedError(mask: UInt8) throws {
        let path = try Reference.fixtures.folder.file("small.bin")
        let whole = try bytes(ofFile: path)
        let archive = try Reference.archive(atPath: path)
        let pickle = try #require(archive.entries.first { $0.name == "small/data.pkl" })
        let stored = littleEndian(pickle.checksum)
        let scratch = try TemporaryFolder()
        for position in pickle.range {
            var changed = whole
            changed[position] ^= mask
            let checksum = changed[pickle.range].withUnsafeBytes { CRC32.checksum(of: $0) }
            for start in changed.indices.dropLast(4)
            where Array(whole[start..<start + 4]) == stored {
                changed.replaceSubrange(start..<start + 4, with: littleEndian(checksum))
            }
            _ = try takes(changed, scratch)
        }
    }

    private func takes(_ bytes: some Sequence<UInt8>, _ scratch: TemporaryFolder) throws -> Bool {
        let path = try scratch.write(bytes, to: "changed.bin")
        do {
            let file = try TorchFile(path: path, in: library)
            for name in file.names { _ = try file.tensor(named: name).contents }
            return true
        } catch is CheckpointError {
            return false
        }
    }
}
