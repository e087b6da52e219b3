/// Merges waiting in a word: a binary heap with the lowest rank on top, leftmost first among equals.
struct MergeQueue {
    struct Candidate {
        let rank: Int
        /// Where the left one of the two tokens begins.
        let position: Int
        /// The token that the two would become.
        let result: Int

        fileprivate func precedes(_ other: Candidate) -> Bool {
            (rank, position) < (other.rank, other.position)
        }
    }

    private var heap: [Candidate] = []

    mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Candidate? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].precedes(heap[first]) {
                first = child
            }
            guard first != parent else { return top }
            heap.swapAt(parent, first)
            parent = first
        }
    }
}
