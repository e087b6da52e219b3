import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct HostilePickleTests {
    let library: LibTorch

    init() throws {
        library = try LibTorch.shared()
    }

    /// Each pickle of the reference script, and the words of its error.
    static let pickles: [(name: String, words: String)] = [
        ("system call by REDUCE", "system\" is not one that weights need"),
        ("STACK_GLOBAL", "Protocol 4"),
        ("STACK_GLOBAL in protocol 2", "opcode 0x8c"),
        ("INST", "opcode 0x53"),
        ("INST without arguments", "opcode 0x69"),
        ("OBJ", "os.system"),
        ("NEWOBJ", "opcode 0x81"),
        ("EXT1", "opcode 0x82"),
        ("EXT2", "opcode 0x83"),
        ("EXT4", "opcode 0x84"),
        ("PERSID", "opcode 0x50"),
        ("eval", "__builtin__.eval"),
        ("getattr by dotted name", "torch.FloatStorage.__init__"),
        ("torch.load itself", "torch.serialization.load"),
        ("calling a storage", "cannot be called"),
        ("calling a string", "Only an allowed name can be called"),
        ("SETITEM on a tensor", "Only a dictionary can have items set, and this is a tensor"),
        ("SETITEMS on a tensor", "Only a dictionary can have items set, and this is a tensor"),
        ("SETITEMS of odd number", "has no value"),
        ("APPEND on a tensor", "Only a list can be appended to"),
        ("BUILD on a tensor", "Attributes can be set on a dictionary alone"),
        ("stack underflow", "opcode 0x30"),
        ("underflow of TUPLE3", "needs 3 values"),
        ("underflow below a mark", "needs 2 values"),
        ("no mark", "needs a mark"),
        ("empty result", "the stack is empty"),
        ("dangling memo", "Place 7 of the memo"),
        ("dangling long memo", "Place 4294967295 of the memo"),
        ("LONG1 bomb", "An integer of 255 bytes"),
        ("LONG1 beyond the end", "ends too early"),
        ("LONG4 bomb", "opcode 0x8b"),
        ("BINUNICODE beyond the end", "ends too early"),
        ("BINUNICODE not UTF-8", "not valid UTF-8"),
        ("BINBYTES8 bomb", "opcode 0x8e"),
        ("GLOBAL without end", "ends too early"),
        ("nothing", "ends too early"),
        ("protocol 5", "Protocol 5"),
        ("a list on top", "It holds a list"),
        ("deep tuples", "It holds a tuple"),
        ("deep lists", "It holds a list"),
        ("a list in itself", "It holds a list"),
        ("a million marks", "the stack is empty"),
        ("a name twice", "appears twice"),
        ("huge storage", "claims 1099511627776 elements"),
        ("overflowing storage", "claims 4611686018427387908 elements"),
        ("negative storage", "claims -4 elements"),
        ("short storage", "claims 3 elements"),
        ("missing storage", "no record \"7\""),
        ("storage outside", "no record \"../data.pkl\""),
        ("storage of a wider type", "claims 4 elements of float64"),
        ("storage of two types", "Storage \"0\" has two types"),
        ("storage of no type", "not that of a storage"),
        ("persistent id of a module", "not that of a storage"),
        ("tensor of a string", "made of a storage"),
        ("too many arguments", "9 arguments"),
        ("conjugate flag", "flags that are not supported"),
        ("negative offset", "cannot be"),
        ("offset beyond the end", "cannot be"),
        ("offset to the end", "reaches beyond"),
        ("negative size", "cannot be"),
        ("negative stride", "cannot be"),
        ("stride beyond the end", "reaches beyond"),
        ("overflowing stride", "reaches beyond"),
        ("overflowing shape", "cannot be"),
        ("overflowing empty shape", "cannot be"),
        ("stride 0 bomb", "larger than its storage"),
        ("strides of another rank", "cannot be"),
        ("too many dimensions", "99 dimensions"),
        ("float as size", "An integer is expected"),
    ]

    @Test(arguments: pickles)
    func endsInATypedError(name: String, words: String) throws {
        let path = try Reference.hostileFiles.folder.file("\(name).bin")
        let error = try #require(throws: CheckpointError.self) {
            try TorchFile(path: path, in: library)
        }
        #expect("\(error)".contains(words), "\(error)")
        #expect(error.path == path && error.place?.hasPrefix("data.pkl") == true, "\(error)")
    }

    /// CVE-2025-32434: torch before 2.6 called what a file in its oldest format, a tar file, asked
    /// for, also where it was told to read weights alone.
    @Test func filesOfTorchsOldestFormatAreRefusedUnread() throws {
        let path = try Reference.hostileFiles.folder.file("CVE-2025-32434.bin")
        let error = try #require(throws: CheckpointError.self) {
            try TorchFile(path: path, in: library)
        }
        #expect("\(error)".contains("before 1.6"))
        #expect(error.path == path && error.place == "byte 0")
        #expect(!FileManager.default.fileExists(atPath: "/tmp/checkpoint-was-here"))
    }

    /// CVE-2026-24747: torch before 2.10 wrote beyond its memory where a pickle set items on what is
    /// no dictionary, or claimed more elements than a storage has.
    @Test(arguments: [
        "SETITEM on a tensor", "SETITEMS on a tensor", "huge storage", "overflowing storage",
        "short storage", "storage of a wider type",
    ])
    func neitherItemsOnTensorsNorStoragesLargerThanTheirRecordsAreTaken(name: String) throws {
        let path = try Reference.hostileFiles.folder.file("\(name).bin")
        let error = try #require(throws: CheckpointError.self) {
            try TorchFile(path: path, in: library)
        }
        #expect(error.path == path && error.place?.hasPrefix("data.pkl, byte ") == true)
    }

    /// Cut inside a sound archive, so that the machine itself meets the end.
    @Test func aPickleCutAnywhereIsRefused() throws {
        let path = try Reference.hostileFiles.folder.file("sound.bin")
        let whole = try bytes(ofFile: path)
        let archive = try Reference.archive(atPath: path)
        let pickle = try #require(archive.entries.first { $0.name == "archive/data.pkl" })
        for length in 0..<pickle.range.count {
            let cut = whole[pickle.range].prefix(length)
            let error = try #require(throws: CheckpointError.self) {
                try cut.withUnsafeBytes {
                    try PickleMachine.run($0, path: path, recordName: "data.pkl") { _ in 16 }
                }
            }
            #expect(error.path == path && error.place?.hasPrefix("data.pkl, byte ") == true)
        }
    }

    @Test func everyPickleOfTheScriptIsTriedAndTheSoundOneRead() throws {
        let files = try Reference.hostileFiles
        #expect(Set(files.accepted.keys) == Set(Self.pickles.map(\.name) + ["sound"]))
        let sound = try TorchFile(path: files.folder.file("sound.bin"), in: library)
        #expect(try sound.tensor(named: "a").elements(as: Float.self) == [0, 0, 0, 0])
    }

    /// Where torch itself takes a pickle that is refused here, on purpose: nothing in these can do
    /// harm there either, but no file of weights has it.
    @Test func onlyKnownPicklesAreRefusedHereAlone() throws {
        let acceptedByTorch = try Reference.hostileFiles.accepted.filter(\.value).keys
        let known: Set = [
            "sound", "NEWOBJ", "BUILD on a tensor", "LONG1 bomb", "protocol 5", "a list on top",
            "deep tuples", "deep lists", "a list in itself", "a name twice", "stride 0 bomb",
            "offset beyond the end", "storage of two types",
            "overflowing empty shape", "too many dimensions",
        ]
        #expect(Set(acceptedByTorch).subtracting(known) == [])
    }

    @Test(arguments: [
        ("big-endian", "lowest byte first"),
        ("compressed", "compressed (method 8)"),
        ("bomb", "compressed (method 8)"),
        ("twice", "appears twice"),
        ("twice-data", "appears twice"),
        ("torchscript", "TorchScript"),
    ])
    func archivesOfOtherKindsAreRefused(name: String, words: String) throws {
        let path = try Reference.hostileFiles.folder.file("\(name).bin")
        let error = try #require(throws: CheckpointError.self) {
            try TorchFile(path: path, in: library)
        }
        #expect("\(error)".contains(words) && "\(error)".contains(path), "\(error)")
    }
}
