/// Which two tokens merge into which, and in what order.
struct BytePairMerges: Sendable {
    struct Merge: Sendable {
        /// Merges of lower rank come first.
        let rank: Int
        /// The token that the two become.
        let result: Int
    }

    /// Two tokens beside each other.
    private struct Pair: Hashable {
        let left, right: Int
    }

    private var merges: [Pair: Merge] = [:]

    /// - Parameters:
    ///   - pairs: tokens that merge, first the ones that merge first.
    ///   - path: the file that they come from, for the error.
    ///   - place: where in it the pair of this index stands, for the error.
    /// - Throws: `ConfigurationError` if a token or the two together are not in the vocabulary.
    init(
        _ pairs: [(left: String, right: String)], vocabulary: [String: Int], path: String,
        place: (Int) -> String
    ) throws {
        merges.reserveCapacity(pairs.count)
        for (rank, pair) in pairs.enumerated() {
            func id(_ token: String) throws -> Int {
                guard let id = vocabulary[token] else {
                    throw ConfigurationError.unreadable(
                        path: path,
                        reason: "\(place(rank)): \"\(token)\" is not in the vocabulary.")
                }
                return id
            }
            // A pair that is listed twice keeps its last rank, as in the original.
            merges[Pair(left: try id(pair.left), right: try id(pair.right))] = Merge(
                rank: rank, result: try id(pair.left + pair.right))
        }
    }

    subscript(left: Int, right: Int) -> Merge? {
        merges[Pair(left: left, right: right)]
    }
}
