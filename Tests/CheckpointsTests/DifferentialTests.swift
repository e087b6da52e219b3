import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

/// Files changed and made up at random: what the reference refuses is refused here, and what both
/// take are the same tensors, byte for byte.
///
/// What is refused here alone is in `refusedHereAlone`, the whole list; what is taken here alone, in
/// `takenHereAlone`.
@Suite struct DifferentialTests {
    private static let count = 4000

    /// What the reference makes of a file.
    private struct Verdict: Decodable {
        let length: Int
        /// Its error; nil if it takes the file.
        let refusal: String?
        /// The tensors that it reads; null for one too large to be compared. Neither these nor a refusal
        /// if it gives memory that it never filled.
        let tensors: [String: Facts?]?
    }

    private struct Facts: Decodable, Equatable {
        let shape: [Int]
        let dtype: String
        let bytes: Data
    }

    private enum Kind: String {
        case safetensors, torch
    }

    /// Words of errors here, for files that the reference takes.
    private static let refusedHereAlone: [Kind: [String]] = [
        .safetensors: [
            // The last one counts there, whatever the one before says; readers differ in that.
            "appears twice", "are no range",
            // An entry, or the metadata, that is a list or null.
            "An object is expected",
            // An empty tensor whose other sizes overflow in types of more bytes.
            "is too large",
            // No tensor here can have these types; the file's other tensors can be read.
            "which is not supported here",
        ],
        .torch: [
            // The archive: what is written twice has to agree here, nothing may be left over, and
            // the pickle has to have its checksum, at which torch does not look.
            "(zip entry ", "(its directory", "(the record", "(the zip64 ",
            // Its reader of zip files takes a name to end at a zero byte.
            #"has no record "0\0""#,
            // The pickle: what torch can build and no file of weights has.
            "one that weights need", "opcode 0x", "Protocol", "Attributes can be set",
            "An integer of 255 bytes", "appears twice", "a dictionary of tensors is expected",
            // Tensors: views with more elements than there are, empty ones of sizes that overflow or
            // of an offset outside, too many dimensions.
            "larger than its storage", "cannot be", "99 dimensions",
            // A storage that was read once is not looked at a second time.
            "but its record has", "has two types",
        ],
    ]

    /// Words of the reference's errors, for files that are taken here.
    private static let takenHereAlone: [Kind: [String]] = [
        .safetensors: [],
        // Records that do not bear on the tensors, and are not looked at here: the format's version,
        // an id of the file, the alignment of storages.
        .torch: ["parse the version", "serialization_id()", "storage_alignment"],
    ]

    @Test func safetensors() throws {
        try compare(.safetensors, atLeast: 800) {
            try SafetensorsFile(path: $0, in: LibTorch.shared())
        }
    }

    @Test func torchFiles() throws {
        try compare(.torch, atLeast: 300) { try TorchFile(path: $0, in: LibTorch.shared()) }
    }

    private func compare(
        _ kind: Kind, atLeast fewest: Int, open: (String) throws -> any TensorSource
    ) throws {
        let folder = try TemporaryFolder()
        let script = PythonReference("differential.py")
        let verdicts: [Verdict] = try script.run(kind.rawValue, folder.path, "\(Self.count)")
        var rest = try folder.read("files")[...]
        var taken = 0
        for (index, verdict) in verdicts.enumerated() {
            let path = try folder.write(rest.prefix(verdict.length), to: "file")
            rest = rest.dropFirst(verdict.length)
            do {
                let tensors = try read(open(path))
                if let refusal = verdict.refusal {
                    let isKnown = Self.takenHereAlone[kind]?.contains(where: refusal.contains)
                    #expect(isKnown == true, "\(index) is taken here; there: \(refusal)")
                } else if verdict.tensors != nil {
                    #expect(verdict.tensors?.compactMapValues(\.self) == tensors, "\(index)")
                    taken += 1
                }
            } catch let error as CheckpointError {
                let words = Self.refusedHereAlone[kind] ?? []
                #expect(
                    verdict.refusal != nil || words.contains(where: "\(error)".contains),
                    "\(index) is refused here alone: \(error)")
            }
        }
        #expect(rest.isEmpty)
        #expect(taken >= fewest)
    }

    private func read(_ source: any TensorSource) throws -> [String: Facts] {
        try Dictionary(
            uniqueKeysWithValues: source.names.map { name in
                let tensor = try source.tensor(named: name)
                return (
                    name,
                    Facts(
                        shape: tensor.shape, dtype: try tensor.dtype.rawValue,
                        bytes: try tensor.contents)
                )
            })
    }
}
