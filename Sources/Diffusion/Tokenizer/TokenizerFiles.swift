/// The vocabulary and merges of a tokenizer folder: `tokenizer.json`, else `vocab.json` and `merges.txt`.
struct TokenizerFiles {
    /// The file that `vocabulary` comes from.
    let path: String
    /// The id of each token.
    let vocabulary: [String: Int]
    let merges: BytePairMerges
    /// What a `tokenizer.json` says beyond that.
    let serialized: SerializedTokenizer?

    /// - Throws: `ConfigurationError` that names the file and the line or key.
    init(folder: String) throws {
        let path = "\(folder)/tokenizer.json"
        let pairs: [(left: String, right: String)]
        let mergesPath: String
        let place: (Int) -> String
        do {
            let file = try ConfigurationFile.decode(SerializedTokenizer.self, path: path)
            try file.check(path: path)
            vocabulary = try Self.ids(file.model.vocab, path: path)
            pairs = file.model.merges.map { ($0.left, $0.right) }
            self.path = path
            serialized = file
            mergesPath = path
            place = { "\"model.merges.\($0)\"" }
        } catch ConfigurationError.notFound(path) {
            self.path = "\(folder)/vocab.json"
            vocabulary = try Self.ids(
                ConfigurationFile.decode([String: Double].self, path: self.path), path: self.path)
            serialized = nil
            mergesPath = "\(folder)/merges.txt"
            let lines = try MergesFile.read(path: mergesPath)
            pairs = lines.map { ($0.left, $0.right) }
            place = { "line \(lines[$0].number)" }
        }
        merges = try BytePairMerges(
            pairs, vocabulary: vocabulary, path: mergesPath, place: place)
    }

    /// Checks that every token has a number of its own. They come as `Double`, because `Int` would fail to be decoded
    /// without the token's name.
    private static func ids(_ numbers: [String: Double], path: String) throws -> [String: Int] {
        var tokens: [Int: String] = [:]
        tokens.reserveCapacity(numbers.count)
        return try Dictionary(
            uniqueKeysWithValues: numbers.map { token, number in
                func unsupported(_ key: String, _ value: String) -> any Error {
                    ConfigurationError.unsupported(
                        path: path, key: key, value: value,
                        supported: "a number of its own from 0 to \(Int32.max)")
                }
                guard let id = Int(exactly: number), (0...Int(Int32.max)).contains(id) else {
                    throw unsupported(token, "\(number)")
                }
                if let other = tokens.updateValue(token, forKey: id) {
                    let both = [token, other].sorted()
                    throw unsupported(both[1], "\(id), as is \"\(both[0])\"")
                }
                return (token, id)
            })
    }
}

/// `merges.txt`: two tokens a line, first the ones that merge first.
enum MergesFile {
    /// - Throws: `ConfigurationError` that names the line.
    static func read(path: String) throws -> [(number: Int, left: String, right: String)] {
        let lines = try ConfigurationFile.contents(of: path).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var merges: [(number: Int, left: String, right: String)] = []
        merges.reserveCapacity(lines.count)
        for (index, bytes) in lines.enumerated() {
            // The end of the last line begins no further one.
            if bytes.isEmpty, index == lines.count - 1 { break }
            func unreadable(_ reason: String) -> any Error {
                ConfigurationError.unreadable(path: path, reason: "line \(index + 1) \(reason)")
            }
            guard var line = String(validating: bytes, as: UTF8.self)?.unicodeScalars[...] else {
                throw unreadable("is not UTF-8.")
            }
            if line.last == "\r" { line.removeLast() }
            if line.starts(with: "#version".unicodeScalars) { continue }
            let columns = line.split(separator: " ", omittingEmptySubsequences: false)
            guard columns.count == 2 else {
                throw unreadable(
                    "has \(columns.count) columns, not two tokens and a space between.")
            }
            merges.append((index + 1, String(columns[0]), String(columns[1])))
        }
        return merges
    }
}
