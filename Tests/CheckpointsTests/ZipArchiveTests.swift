import Foundation
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct ZipArchiveTests {
    @Test func theChecksumIsTheStandardOne() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
        #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.checksum(of: $0) } == 0xcbf4_3926)
    }

    /// An archive of torch, with one change to its directory.
    private func error(
        changing edit: (_ bytes: inout [UInt8], _ directory: Int) throws -> Void
    ) throws -> String {
        let path = try Reference.fixtures.folder.file("small.bin")
        var bytes = try bytes(ofFile: path)
        let signature = littleEndian(ZipSignature.directoryEntry)
        let directory = try #require(
            bytes.indices.dropLast(4).first { Array(bytes[$0..<$0 + 4]) == signature })
        try edit(&bytes, directory)
        let scratch = try TemporaryFolder()
        let changed = try scratch.write(bytes, to: "changed.bin")
        let error = try #require(throws: CheckpointError.self) {
            try Reference.archive(atPath: changed)
        }
        return "\(error)"
    }

    @Test func entriesMayNotShareBytes() throws {
        let words = try error { bytes, directory in
            // The first entry's size, so that it reaches over the second one's header.
            bytes.replaceSubrange(directory + 20..<directory + 24, with: littleEndian(UInt32(400)))
            bytes.replaceSubrange(directory + 24..<directory + 28, with: littleEndian(UInt32(400)))
        }
        #expect(words.contains("overlaps"), "\(words)")
    }

    @Test func anEntryMayNotReachIntoTheDirectory() throws {
        let words = try error { bytes, directory in
            bytes.replaceSubrange(
                directory + 20..<directory + 24, with: littleEndian(UInt32(1 << 30)))
            bytes.replaceSubrange(
                directory + 24..<directory + 28, with: littleEndian(UInt32(1 << 30)))
        }
        #expect(words.contains("reach into the directory"), "\(words)")
    }

    @Test func namesHaveToAgree() throws {
        let words = try error { bytes, directory in bytes[directory + 46] ^= 1 }
        #expect(words.contains("contradict"), "\(words)")
    }

    @Test func encryptionIsRefused() throws {
        let words = try error { bytes, directory in bytes[directory + 8] |= 1 }
        #expect(words.contains("encrypted"), "\(words)")
    }

    @Test func foldersAreRefused() throws {
        let words = try error { bytes, directory in bytes[directory + 38] |= 0x10 }
        #expect(words.contains("a folder"), "\(words)")
    }

    @Test func offsetsOutsideAreRefused() throws {
        let words = try error { bytes, directory in
            bytes.replaceSubrange(
                directory + 42..<directory + 46, with: littleEndian(UInt32(1 << 31)))
        }
        #expect(words.contains("points to no entry"), "\(words)")
    }

    @Test func aNumberThatShouldBeInAZip64FieldHasToBeThere() throws {
        let words = try error { bytes, directory in
            bytes.replaceSubrange(directory + 42..<directory + 46, with: littleEndian(UInt32.max))
        }
        #expect(words.contains("make no sense"), "\(words)")
    }

    @Test func bytesBeforeTheArchiveAreRefused() throws {
        let words = try error { bytes, _ in bytes.insert(0, at: 0) }
        #expect(words.contains("zip64"), "\(words)")
    }

    @Test func theRecordsAtTheEndHaveToAgree() throws {
        let words = try error { bytes, _ in bytes[bytes.count - 12] ^= 1 }
        #expect(words.contains("several parts") || words.contains("contradict"), "\(words)")
    }
}
