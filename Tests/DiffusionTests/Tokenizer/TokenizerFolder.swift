import Foundation
import TestSupport

@testable import Diffusion

/// A small tokenizer's folder, to be damaged.
final class TokenizerFolder {
    private let folder: TemporaryFolder

    var path: String { folder.path }

    /// Every byte, every byte at the end of a word, a few merges, start and end.
    static let tokens =
        ByteLevelAlphabet.shared.scalars.map { String(Character($0)) }
        + ByteLevelAlphabet.shared.scalars.map { String(Character($0)) + "</w>" }
        + ["ca", "cat</w>", "do", "dog</w>", "foo_bar", "<|startoftext|>", "<|endoftext|>"]
    static let merges = "#version: 0.2\nc a\nca t</w>\nd o\ndo g</w>\n"

    init() throws {
        folder = try TemporaryFolder()
        let vocabulary = Dictionary(
            uniqueKeysWithValues: Self.tokens.enumerated().map { ($0.element, $0.offset) })
        try write("vocab.json", JSONEncoder().encode(vocabulary))
        try write("merges.txt", Self.merges)
        try write("tokenizer_config.json", #"{"model_max_length": 10}"#)
    }

    /// A folder in which one file is replaced, or removed by nil.
    convenience init(_ file: String, _ content: String?) throws {
        try self.init()
        if let content {
            try write(file, content)
        } else {
            try FileManager.default.removeItem(atPath: folder.file(file))
        }
    }

    /// A folder whose vocabulary has these entries besides its own.
    convenience init(vocabulary more: [String: Any], without token: String? = nil) throws {
        try self.init()
        var vocabulary = Dictionary<String, Any>(
            uniqueKeysWithValues: Self.tokens.enumerated().map { ($0.element, $0.offset) })
        vocabulary.merge(more) { $1 }
        if let token { vocabulary[token] = nil }
        try write("vocab.json", JSONSerialization.data(withJSONObject: vocabulary))
    }

    func write(_ file: String, _ content: String) throws {
        try write(file, Data(content.utf8))
    }

    func write(_ file: String, _ content: Data) throws {
        try folder.write(content, to: file)
    }

    func tokenizer() throws -> CLIPTokenizer {
        try CLIPTokenizer(folder: path)
    }
}
