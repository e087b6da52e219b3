/// Finds texts inside a text: of all that begin leftmost, the longest.
struct TokenTrie: Sendable {
    private struct Edge: Hashable {
        let node: Int
        let scalar: Unicode.Scalar
    }

    private var edges: [Edge: Int] = [:]
    /// What was inserted, by the node where it ends.
    private var values: [Int: Int] = [:]
    private var nodeCount = 1

    mutating func insert(_ text: some Sequence<Unicode.Scalar>, value: Int) {
        var node = 0
        for scalar in text {
            let edge = Edge(node: node, scalar: scalar)
            if let next = edges[edge] {
                node = next
            } else {
                edges[edge] = nodeCount
                node = nodeCount
                nodeCount += 1
            }
        }
        // An empty text would be found everywhere.
        guard node != 0 else { return }
        values[node] = value
    }

    /// The first occurrence at or after `start`.
    func firstMatch(
        in text: ArraySlice<Unicode.Scalar>, from start: Int
    ) -> (range: Range<Int>, value: Int)? {
        guard !values.isEmpty else { return nil }
        for begin in start..<max(start, text.endIndex) {
            var node = 0
            var match: (range: Range<Int>, value: Int)?
            for position in begin..<text.endIndex {
                guard let next = edges[Edge(node: node, scalar: text[position])] else { break }
                node = next
                if let value = values[node] { match = (begin..<(position + 1), value) }
            }
            if let match { return match }
        }
        return nil
    }
}
