@testable import Diffusion

/// A tokenizer's folder with one foreign file. The first character of an input is no part of the
/// file: the digit says which file it is; from 6 on it is a text to be encoded.
enum TokenizerTarget {
    private static let files = [
        "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.json",
    ]

    /// A folder of a few tokens, where bytes that have none are unknown.
    private static let sound = [
        "vocab.json": """
        {"a":0,"b":1,"a</w>":2,"b</w>":3,"ab":4,"ab</w>":5,"!":6,"\u{120}":7,
         "<|startoftext|>":8,"<|endoftext|>":9}
        """,
        "merges.txt": "#version: 0.2\na b\na b</w>\n",
        "tokenizer_config.json": #"{"model_max_length":77}"#,
        "special_tokens_map.json": #"{"pad_token":"!"}"#,
        "added_tokens.json": "{}",
    ]

    /// Written once: files are most of an input's time.
    private static let folder = Result {
        for (name, content) in sound { try ScratchFolder.shared.write(content, to: name) }
        return ScratchFolder.shared
    }

    private static let text = "a  abba! <|endoftext|>B\u{301} 12's"

    static let target = FuzzTarget(name: "tokenizer") { bytes in
        guard let first = bytes.first, let kind = Character(UnicodeScalar(first)).wholeNumberValue
        else { return }
        let folder = try folder.get()
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        guard kind < files.count else {
            let tokenizer = try CLIPTokenizer(folder: folder.path)
            return check(tokenizer, String(decoding: rest, as: UTF8.self))
        }
        let name = files[kind]
        try folder.write(rest, to: name)
        defer {
            if let content = sound[name] {
                _ = try? folder.write(content, to: name)
            } else {
                folder.remove(name)
            }
        }
        check(try CLIPTokenizer(folder: folder.path), text)
    }

    private static func check(_ tokenizer: CLIPTokenizer, _ text: String) {
        _ = tokenizer.decode(tokenizer.encode(text, paddedTo: 6).ids)
    }
}
