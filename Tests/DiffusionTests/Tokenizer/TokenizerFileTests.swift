import Foundation
import TestSupport
import Testing

@testable import Diffusion

/// Damaged tokenizer files are errors that name the file and the line or key.
@Suite struct TokenizerFileTests {
    private func error(_ folder: TokenizerFolder) throws -> String {
        "\(try #require(throws: ConfigurationError.self) { try folder.tokenizer() })"
    }

    @Test func theUndamagedFolderIsRead() throws {
        let tokenizer = try TokenizerFolder().tokenizer()
        #expect(tokenizer.modelMaxLength == 10)
        #expect(tokenizer.vocabularySize == 519)
        #expect(tokenizer.startID == 517)
        #expect(tokenizer.endID == 518)
        #expect(
            tokenizer.encode("Cat DOG").ids == [517, 513, 515] + Array(repeating: 518, count: 7))
    }

    @Test(arguments: ["vocab.json", "merges.txt"]) func aMissingFileIsNamed(_ file: String) throws {
        #expect(try error(TokenizerFolder(file, nil)).contains("/\(file) does not exist"))
    }

    @Test(arguments: [
        ("vocab.json", "", "file is empty"),
        ("vocab.json", "{", "not valid JSON"),
        ("vocab.json", "[1, 2]", "vocab.json"),
        ("vocab.json", "{\"a\": 0", "not valid JSON"),
        ("vocab.json", "{\"a\": \"b\"}", "\"a\""),
        ("vocab.json", "{\"a\": 1.5}", "\"a\""),
        ("vocab.json", "{\"a\": 99999999999999999999}", "\"a\""),
        ("vocab.json", "{\"a\": null}", "\"a\""),
        ("vocab.json", "{}", "\"c\" is not in the vocabulary"),
        ("merges.txt", "c a\nca\n", "line 2 has 1 columns"),
        ("merges.txt", "c a\n\nd o\n", "line 2 has 1 columns"),
        ("merges.txt", "#version: 0.2\nc a t\n", "line 2 has 3 columns"),
        ("merges.txt", "c  a\n", "line 1 has 3 columns"),
        ("merges.txt", "c a\nc €\n", "line 2: \"€\" is not in the vocabulary"),
        ("merges.txt", "d o\nc d\n", "line 2: \"cd\" is not in the vocabulary"),
        ("merges.txt", "c a\n ca\n", "line 2: \"\" is not in the vocabulary"),
        ("tokenizer_config.json", "[]", "tokenizer_config.json"),
        ("tokenizer_config.json", #"{"model_max_length": 1}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"model_max_length": -77}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"model_max_length": 7.5}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"model_max_length": 1e12}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"model_max_length": "77"}"#, "model_max_length"),
        ("tokenizer_config.json", #"{"max_len": 0}"#, "max_len"),
        ("tokenizer_config.json", #"{"padding_side": "middle"}"#, "padding_side"),
        ("tokenizer_config.json", #"{"truncation_side": 3}"#, "truncation_side"),
        ("tokenizer_config.json", #"{"split_special_tokens": "no"}"#, "split_special_tokens"),
        ("tokenizer_config.json", #"{"fast_tokenizer_files": ["tokenizer.4.0.0.json"]}"#, "fast_"),
        ("tokenizer_config.json", #"{"bos_token": null}"#, "bos_token"),
        ("tokenizer_config.json", #"{"eos_token": ""}"#, "eos_token"),
        ("tokenizer_config.json", #"{"pad_token": 0}"#, "pad_token"),
        ("tokenizer_config.json", #"{"pad_token": {"lstrip": true}}"#, "pad_token.content"),
        (
            "tokenizer_config.json", #"{"pad_token": {"content": "!", "lstrip": 1}}"#,
            "pad_token.lstrip"
        ),
        ("tokenizer_config.json", #"{"additional_special_tokens": [1]}"#, "special_tokens.0"),
        ("tokenizer_config.json", #"{"additional_special_tokens": "a"}"#, "special_tokens"),
        ("tokenizer_config.json", #"{"added_tokens_decoder": []}"#, "added_tokens_decoder"),
        ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {}}}"#, "added_tokens_decoder"),
        ("tokenizer_config.json", #"{"added_tokens_decoder": {"7": "a"}}"#, "decoder.7"),
        ("special_tokens_map.json", #"["pad_token"]"#, "special_tokens_map.json"),
        ("special_tokens_map.json", #"{"pad_token": []}"#, "pad_token"),
        ("added_tokens.json", #"{"<cat>": "a"}"#, "<cat>"),
        ("tokenizer.json", "{}", "model"),
        ("tokenizer.json", #"{"model": {"vocab": {"a": 0}}}"#, "merges"),
        (
            "tokenizer.json", #"{"model": {"type": "WordPiece", "vocab": {}, "merges": []}}"#,
            "model.type"
        ),
        ("tokenizer.json", #"{"model": {"vocab": {"a": 0}, "merges": ["a a a"]}}"#, "merges"),
        ("tokenizer.json", #"{"model": {"vocab": {"a": 0}, "merges": [["a"]]}}"#, "merges"),
        ("tokenizer.json", #"{"model": {"vocab": {"a": 0}, "merges": [7]}}"#, "merges"),
        (
            "tokenizer.json", #"{"model": {"vocab": {"a": 0}, "merges": ["a a"]}}"#,
            "model.merges.0"
        ),
        (
            "tokenizer.json",
            #"{"model": {"vocab": {"<|endoftext|>": 0}, "merges": []}, "added_tokens": [{"content": "a"}]}"#,
            "added_tokens.0"
        ),
        (
            "tokenizer.json",
            #"{"model": {"vocab": {"<|endoftext|>": 0}, "merges": []}, "truncation": {"direction": "Up"}}"#,
            "truncation_side"
        ),
    ]) func aDamagedFileIsNamed(_ file: String, _ content: String, _ part: String) throws {
        let error = try error(TokenizerFolder(file, content))
        #expect(error.contains(part), "\(error)")
    }

    @Test func idsAreNumbersOfTheirOwn() throws {
        #expect(try error(TokenizerFolder(vocabulary: ["ca": -1])).contains("\"ca\" is -1"))
        #expect(try error(TokenizerFolder(vocabulary: ["ca": 1 << 40])).contains("\"ca\""))
        let twice = try error(TokenizerFolder(vocabulary: ["ca": 512, "new": 512]))
        #expect(twice.contains("\"new\" is 512, as is \"ca\""))
    }

    /// Without a byte its token is the unknown one; without that one too, no text with the byte could be read.
    @Test func aMissingByteIsUnknown() throws {
        let folder = try TokenizerFolder(vocabulary: [:], without: "x")
        #expect(try folder.tokenizer().encode("xa", paddedTo: nil).ids == [517, 518, 353, 518])
        try folder.write("special_tokens_map.json", #"{"unk_token": "<unknown>"}"#)
        #expect(try error(folder).contains("\"x\""))
    }

    @Test func textThatIsNoUTF8IsRefused() throws {
        let folder = try TokenizerFolder()
        try folder.write("merges.txt", Data("c a\nd ".utf8 + [0xFF, 0x0A]))
        #expect(try error(folder).contains("line 2 is not UTF-8"))
        try folder.write("vocab.json", Data([0x7B, 0xFF, 0x7D]))
        #expect(try error(folder).contains("vocab.json"))
    }

    @Test(arguments: ["vocab.json", "merges.txt", "tokenizer_config.json", "tokenizer.json"])
    func aHugeFileIsRefused(_ file: String) throws {
        let folder = try TokenizerFolder(file, " ")
        let handle = try #require(FileHandle(forWritingAtPath: "\(folder.path)/\(file)"))
        try handle.truncate(atOffset: 1 << 33)
        try handle.close()
        let error = try error(folder)
        #expect(error.contains("\(file) cannot be read: 8589934592 bytes are too many"))
    }

    @Test(arguments: [400, 100_000]) func deepNestingIsNoCrash(_ depth: Int) throws {
        let nested =
            #"{"x": "# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            + "}"
        for file in ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] {
            _ = try? TokenizerFolder(file, nested).tokenizer()
        }
    }

    @Test func aLongTokenIsRefused() throws {
        let long = String(repeating: "a", count: 2000)
        let folder = try TokenizerFolder("added_tokens.json", #"{"\#(long)": 600}"#)
        #expect(try error(folder).contains("1024 bytes"))
    }

    @Test(arguments: [#"{"model_max_length": 1e30}"#, "{}", #"{"model_max_length": null}"#])
    func theLengthMayBeAbsent(_ configuration: String) throws {
        let tokenizer = try TokenizerFolder("tokenizer_config.json", configuration).tokenizer()
        #expect(tokenizer.modelMaxLength == nil)
        #expect(tokenizer.encode("cat").ids == [517, 513, 518])
    }

    /// Keys in which transformers writes where it found its files.
    @Test func aConfigurationNamesNoFilesElsewhere() throws {
        let elsewhere = try TokenizerFolder("merges.txt", "")
        let folder = try TokenizerFolder(
            "tokenizer_config.json",
            """
            {"merges_file": "\(elsewhere.path)/merges.txt", "vocab_file": "../vocab.json",
             "tokenizer_file": "/etc/passwd", "special_tokens_map_file": "../../x",
             "name_or_path": "\(elsewhere.path)", "model_max_length": 10}
            """)
        #expect(try folder.tokenizer().encode("cat") == TokenizerFolder().tokenizer().encode("cat"))
        try folder.write(
            "tokenizer_config.json", #"{"fast_tokenizer_files": ["../tokenizer.json"]}"#)
        #expect(try error(folder).contains("fast_tokenizer_files"))
    }

    /// Whatever byte is damaged: an error or a tokenizer, never a crash.
    @Test func damagedBytesAreNoCrash() throws {
        var generator = SeededGenerator(seed: 1)
        let folder = try TokenizerFolder()
        try folder.write(
            "special_tokens_map.json",
            #"{"pad_token": "!", "eos_token": {"content": "<|endoftext|>", "normalized": true, "lstrip": false}, "additional_special_tokens": ["<a>"]}"#
        )
        try folder.write("added_tokens.json", #"{"<cat-toy>": 519, "<b>": 520}"#)
        for file in [
            "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        ] {
            let path = URL(fileURLWithPath: "\(folder.path)/\(file)")
            let whole = try Data(contentsOf: path)
            for _ in 0..<60 {
                var damaged = whole
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let place = Int.random(in: damaged.indices, using: &generator)
                    damaged[place] = UInt8.random(in: 0...255, using: &generator)
                }
                if Bool.random(using: &generator) {
                    damaged = damaged.prefix(Int.random(in: damaged.indices, using: &generator))
                }
                try damaged.write(to: path)
                do {
                    _ = try folder.tokenizer().encode("a <cat-toy> cat! é <|endoftext|>")
                } catch is ConfigurationError {}
            }
            try whole.write(to: path)
        }
    }
}
