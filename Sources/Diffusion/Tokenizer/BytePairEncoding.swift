/// Merges the bytes of a word into tokens (Sennrich et al. 2016, https://aclanthology.org/P16-1162), as `BPE` of
/// tokenizers does.
struct BytePairEncoding: Sendable {
    /// What the last byte of a word carries in the vocabulary.
    static let endOfWord = "</w>"

    /// The token of each byte within a word, and of each byte that ends one.
    private let innerBytes, lastBytes: [Int]
    private let merges: BytePairMerges

    /// - Parameter unknownToken: stands for the bytes that the vocabulary lacks.
    /// - Throws: `ConfigurationError` that names `path` if the vocabulary lacks a byte and `unknownToken`.
    init(
        vocabulary: [String: Int], merges: BytePairMerges, unknownToken: String?, path: String
    ) throws {
        self.merges = merges
        let unknown = unknownToken.flatMap { vocabulary[$0] }
        func ids(suffix: String) throws -> [Int] {
            try ByteLevelAlphabet.shared.scalars.map { scalar in
                let token = String(Character(scalar)) + suffix
                guard let id = vocabulary[token] ?? unknown else {
                    throw ConfigurationError.unreadable(
                        path: path,
                        reason:
                            "the vocabulary has neither \"\(token)\" nor a token for the unknown.")
                }
                return id
            }
        }
        innerBytes = try ids(suffix: "")
        lastBytes = try ids(suffix: Self.endOfWord)
    }

    /// The tokens of one word, given as UTF-8.
    ///
    /// Takes O(n log n) for n bytes: the merge of lowest rank, leftmost first, comes from a heap.
    func encode(_ word: [UInt8]) -> [Int] {
        guard let last = word.last else { return [] }
        var symbols = SymbolList(
            word.dropLast().map { innerBytes[Int($0)] } + [lastBytes[Int(last)]])
        var queue = MergeQueue()
        func enqueue(_ left: Int?) {
            guard let left, let right = symbols.position(after: left),
                let merge = merges[symbols.token(at: left), symbols.token(at: right)]
            else { return }
            queue.push(.init(rank: merge.rank, position: left, result: merge.result))
        }
        for position in word.indices { enqueue(position) }
        while let candidate = queue.pop() {
            // Another merge may have taken one of the two since.
            guard symbols.isPresent(candidate.position),
                let right = symbols.position(after: candidate.position),
                let merge = merges[
                    symbols.token(at: candidate.position), symbols.token(at: right)],
                merge.result == candidate.result
            else { continue }
            symbols.merge(at: candidate.position, into: merge.result)
            enqueue(symbols.position(before: candidate.position))
            enqueue(candidate.position)
        }
        return symbols.tokens
    }
}

/// The tokens of a word as a linked list, so that a merge takes constant time.
private struct SymbolList {
    private var ids: [Int]
    /// Neighbours still present; −1 and `ids.count` where there is none.
    private var previous, next: [Int]
    private var present: [Bool]

    init(_ ids: [Int]) {
        self.ids = ids
        previous = Array(-1..<(ids.count - 1))
        next = Array(1..<(ids.count + 1))
        present = Array(repeating: true, count: ids.count)
    }

    var tokens: [Int] {
        ids.indices.filter { present[$0] }.map { ids[$0] }
    }

    func isPresent(_ position: Int) -> Bool { present[position] }
    func token(at position: Int) -> Int { ids[position] }

    func position(before position: Int) -> Int? {
        previous[position] >= 0 ? previous[position] : nil
    }

    func position(after position: Int) -> Int? {
        next[position] < ids.count ? next[position] : nil
    }

    mutating func merge(at position: Int, into token: Int) {
        guard let right = self.position(after: position) else { return }
        ids[position] = token
        present[right] = false
        next[position] = next[right]
        if let following = self.position(after: position) { previous[following] = position }
    }
}
