import Foundation
import TestSupport
import Testing
import Torch

@testable import Checkpoints

/// One named attack or oddity: a header and data, and the words of the error, or nil if it is fine.
struct HeaderCase: CustomTestStringConvertible {
    let name: String
    var header: [UInt8]
    var data = 0
    var length: UInt64?
    let error: String?
    /// Where the reference's verdict is another on purpose.
    var isStricterThanReference = false

    var testDescription: String { name }

    init(
        _ name: String, _ header: String, data: Int = 0, error: String?,
        isStricterThanReference: Bool = false
    ) {
        self.name = name
        self.header = Array(header.utf8)
        self.data = data
        self.error = error
        self.isStricterThanReference = isStricterThanReference
    }

    init(_ name: String, bytes: [UInt8], length: UInt64? = nil, error: String?) {
        self.name = name
        self.header = bytes
        self.length = length
        self.error = error
    }

    var file: [UInt8] {
        withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Array($0) }
            + header + [UInt8](repeating: 0, count: data)
    }
}

private func entry(_ name: String, _ dtype: String, _ shape: String, _ offsets: String) -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
}

@Suite struct SafetensorsHeaderTests {
    static let cases: [HeaderCase] = [
        // Sound
        HeaderCase("no tensors", "{}", error: nil),
        HeaderCase("trailing spaces", "{}   ", error: nil),
        HeaderCase("a scalar", "{\(entry("a", "F32", "[]", "[0,4]"))}", data: 4, error: nil),
        HeaderCase("a tensor of size 0", "{\(entry("a", "F32", "[2,0]", "[0,0]"))}", error: nil),
        HeaderCase(
            "two of size 0 at one place",
            "{\(entry("a", "F32", "[0]", "[0,0]")),\(entry("b", "I8", "[0]", "[0,0]"))}",
            error: nil),
        HeaderCase(
            "tensors in another order",
            "{\(entry("b", "U8", "[2]", "[2,4]")),\(entry("a", "U8", "[2]", "[0,2]"))}", data: 4,
            error: nil),
        HeaderCase(
            "escapes in a name", #"{\#(entry(#"\u0041\ud83d\ude00\n\/"#, "U8", "[]", "[0,1]"))}"#,
            data: 1, error: nil),
        HeaderCase(
            "unknown fields",
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[1.5e-3,{"y":null},true]}}"#,
            data: 1, error: nil),
        HeaderCase(
            "an 8-bit float", "{\(entry("a", "F8_E4M3", "[2]", "[0,2]"))}", data: 2, error: nil),

        // The length
        HeaderCase("header past the end", bytes: Array("{}".utf8), length: 3, error: "only 10"),
        HeaderCase(
            "header over 100 MB", bytes: Array("{}".utf8), length: 100_000_001, error: "100000001"),
        HeaderCase("largest length", bytes: Array("{}".utf8), length: .max, error: "allowed"),
        HeaderCase("empty header", "", error: "An object is expected"),

        // JSON
        HeaderCase(
            "not UTF-8", bytes: Array("{\"".utf8) + [0xff] + Array("\":1}".utf8), error: "UTF-8"),
        HeaderCase("not an object", "[]", error: "An object is expected"),
        HeaderCase("text after the end", "{}x", error: "More text"),
        HeaderCase("a zero byte after the end", bytes: [0x7b, 0x7d, 0], error: "More text"),
        HeaderCase("a byte order mark", bytes: [0xef, 0xbb, 0xbf, 0x7b, 0x7d], error: "An object"),
        HeaderCase(
            "deep nesting", #"{"a":{"x":"# + String(repeating: "[", count: 200), error: "nested"),
        HeaderCase("unfinished", #"{"a":{"dtype":"F3"#, error: "does not end"),
        HeaderCase(
            "half a surrogate", #"{\#(entry(#"\ud83d"#, "U8", "[]", "[0,1]"))}"#, data: 1,
            error: "surrogate"),
        HeaderCase(
            "control character", "{\(entry("a\u{1}", "U8", "[]", "[0,1]"))}", data: 1,
            error: "control"),
        HeaderCase("comma at the end", #"{"__metadata__":{},}"#, error: "quotes"),
        HeaderCase("two names at once", #"{"__metadata__":{}"a":1}"#, error: "\",\""),

        // Names and texts
        HeaderCase(
            "duplicate name",
            "{\(entry("a", "U8", "[1]", "[0,1]")),\(entry("a", "U8", "[1]", "[0,1]"))}",
            data: 1, error: "appears twice", isStricterThanReference: true),
        HeaderCase(
            "duplicate field",
            #"{"a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}}"#,
            data: 1, error: "appears twice"),
        HeaderCase("metadata that is a number", #"{"__metadata__":{"a":1}}"#, error: "quotes"),
        HeaderCase("metadata that is a list", #"{"__metadata__":["a"]}"#, error: "An object"),
        HeaderCase(
            "a missing field", #"{"a":{"dtype":"U8","shape":[1]}}"#, data: 1, error: "lacks"),
        HeaderCase(
            "an entry that is a list", #"{"a":["U8",[1],[0,1]]}"#, data: 1, error: "An object",
            isStricterThanReference: true),

        // Types and shapes
        HeaderCase(
            "unknown dtype", "{\(entry("a", "F33", "[1]", "[0,1]"))}", data: 1, error: "F33"),
        HeaderCase(
            "negative size", "{\(entry("a", "U8", "[-1]", "[0,1]"))}", data: 1,
            error: "not negative"),
        HeaderCase(
            "fractional size", "{\(entry("a", "U8", "[1.0]", "[0,1]"))}", data: 1, error: "fraction"
        ),
        HeaderCase(
            "size with an exponent", "{\(entry("a", "U8", "[1e0]", "[0,1]"))}", data: 1,
            error: "fraction"),
        HeaderCase(
            "size with a leading 0", "{\(entry("a", "U8", "[01]", "[0,1]"))}", data: 1,
            error: "begins with 0"),
        HeaderCase(
            "size beyond 64 bits", "{\(entry("a", "U8", "[99999999999999999999]", "[0,1]"))}",
            data: 1, error: "too large"),
        HeaderCase(
            "overflowing shape", "{\(entry("a", "U8", "[4294967296,4294967296]", "[0,0]"))}",
            error: "too large"),
        HeaderCase(
            "overflowing byte count", "{\(entry("a", "F64", "[2305843009213693952]", "[0,0]"))}",
            error: "too large"),
        HeaderCase(
            "overflowing shape with a 0",
            "{\(entry("a", "U8", "[0,9223372036854775807,4]", "[0,0]"))}",
            error: "too large"),
        HeaderCase(
            "hundreds of dimensions",
            "{\(entry("a", "U8", "[" + String(repeating: "1,", count: 200) + "1]", "[0,1]"))}",
            data: 1, error: "more than 64", isStricterThanReference: true),
        HeaderCase(
            "shape larger than the data", "{\(entry("a", "F32", "[2]", "[0,4]"))}", data: 4,
            error: "does not fill"),
        HeaderCase("half a byte", "{\(entry("a", "F4", "[1]", "[0,0]"))}", error: "does not fill"),

        // Offsets
        HeaderCase(
            "reversed offsets", "{\(entry("a", "U8", "[1]", "[1,0]"))}", data: 1, error: "no range"),
        HeaderCase(
            "overflowing offsets",
            "{\(entry("a", "U8", "[0]", "[9223372036854775807,9223372036854775807]"))}",
            error: "no range"),
        HeaderCase(
            "three offsets", "{\(entry("a", "U8", "[1]", "[0,1,1]"))}", data: 1,
            error: "more than 2"),
        HeaderCase("one offset", "{\(entry("a", "U8", "[1]", "[0]"))}", data: 1, error: "lacks"),
        HeaderCase(
            "overlap", "{\(entry("a", "U8", "[3]", "[0,3]")),\(entry("b", "U8", "[2]", "[2,4]"))}",
            data: 4, error: "overlaps"),
        HeaderCase(
            "the same bytes twice",
            "{\(entry("a", "U8", "[4]", "[0,4]")),\(entry("b", "U8", "[4]", "[0,4]"))}", data: 4,
            error: "overlaps"),
        HeaderCase(
            "a hole", "{\(entry("a", "U8", "[1]", "[0,1]")),\(entry("b", "U8", "[1]", "[2,3]"))}",
            data: 3, error: "a hole"),
        HeaderCase(
            "a hole at the start", "{\(entry("a", "U8", "[1]", "[1,2]"))}", data: 2, error: "a hole"
        ),
        HeaderCase(
            "bytes after the last tensor", "{\(entry("a", "U8", "[1]", "[0,1]"))}", data: 2,
            error: "belong to none"),
        HeaderCase(
            "data cut short", "{\(entry("a", "U8", "[4]", "[0,4]"))}", data: 3, error: "cut short"),
        HeaderCase("data without tensors", "{}", data: 1, error: "belong to none"),
    ]

    @Test(arguments: cases)
    func endsAsItShould(_ sample: HeaderCase) throws {
        let scratch = try TemporaryFolder()
        let path = try scratch.write(sample.file, to: "a.safetensors")
        let library = try LibTorch.shared()
        guard let words = sample.error else {
            _ = try SafetensorsFile(path: path, in: library)
            return
        }
        let error = try #require(throws: CheckpointError.self) {
            try SafetensorsFile(path: path, in: library)
        }
        #expect("\(error)".contains(words), "\(error)")
        #expect(error.path == path && error.place?.isEmpty == false, "\(error)")
    }

    @Test func theReferenceAgrees() throws {
        let scratch = try TemporaryFolder()
        let paths = try Self.cases.enumerated().map { index, sample in
            try scratch.write(sample.file, to: "\(index)")
        }
        let accepted = try JSONDecoder().decode(
            [Bool].self, from: Reference.script.run(["accepted", "safetensors"] + paths))
        for (sample, accepted) in zip(Self.cases, accepted) {
            let expected = sample.error == nil || sample.isStricterThanReference
            #expect(accepted == expected, "\(sample.name)")
        }
    }

    @Test func aDTypeThatNoTensorHasIsAnErrorWhenItIsAskedFor() throws {
        let scratch = try TemporaryFolder()
        let sample = HeaderCase(
            "", "{\(entry("a", "F8_E4M3", "[2]", "[0,2]")),\(entry("b", "U8", "[1]", "[2,3]"))}",
            data: 3, error: nil)
        let path = try scratch.write(sample.file, to: "a.safetensors")
        let file = try SafetensorsFile(path: path, in: LibTorch.shared())
        #expect(try file.tensor(named: "b").shape == [1])
        let error = CheckpointError.unsupportedDType(path: path, name: "a", dtype: "F8_E4M3")
        #expect(throws: error) { try file.tensor(named: "a") }
        #expect(throws: error) { try file.spec(of: "a") }
    }
}
