/// Pages and who uses them. What was used stays filled for the next user, as long as no more is filled than
/// was ever in use at once: the computation takes no more memory than if all of it went back at once.
///
/// `@unchecked Sendable`: memory belongs to whom it was lent to.
struct PagePool: @unchecked Sendable {
    /// Pages of a stretch that lie beside each other, in use together or idle.
    private struct Piece {
        var range: Range<Int>
        var isUsed: Bool
    }

    private struct Stretch {
        var pages: Pages
        /// From the first page to the last; no two idle ones beside each other.
        var pieces: [Piece]

        var isIdle: Bool { pieces.count == 1 && !pieces[0].isUsed }
    }

    private var stretches: [Stretch] = []
    /// Numbers of pages in use, of those that may be filled, and of the most that were in use at once.
    private(set) var usedCount = 0
    private(set) var filledCount = 0
    private var mostUsed = 0

    /// Pages for one user, from idle ones if there are enough beside each other.
    /// - Throws: `TorchError.invalidArgument` if there are not so many.
    mutating func take(_ count: Int) throws -> UnsafeMutableRawPointer {
        let (stretch, index) = try bestPiece(count) ?? newStretch(count)
        let piece = stretches[stretch].pieces[index]
        let taken = piece.range.lowerBound..<piece.range.lowerBound + count
        stretches[stretch].pieces[index] = Piece(range: taken, isUsed: true)
        if taken.upperBound < piece.range.upperBound {
            stretches[stretch].pieces.insert(
                Piece(range: taken.upperBound..<piece.range.upperBound, isUsed: false),
                at: index + 1)
        }
        filledCount += stretches[stretch].pages.fill(taken)
        usedCount += count
        mostUsed = max(mostUsed, usedCount)
        let address = stretches[stretch].pages.address + taken.lowerBound * Pages.size
        giveBack(downTo: mostUsed)
        return address
    }

    /// Takes back what `take` gave.
    mutating func keep(_ address: UnsafeMutableRawPointer) {
        guard
            let stretch = stretches.firstIndex(where: {
                $0.pages.address <= address && address < $0.pages.address + $0.pages.byteCount
            })
        else { return }
        let page = (address - stretches[stretch].pages.address) / Pages.size
        guard
            let index = stretches[stretch].pieces.firstIndex(where: {
                $0.range.lowerBound == page && $0.isUsed
            })
        else { return }
        usedCount -= stretches[stretch].pieces[index].range.count
        stretches[stretch].pieces[index].isUsed = false
        join(index + 1, in: stretch)
        join(index, in: stretch)
    }

    /// Lets the system take what is idle if it needs the room before this pool does.
    func offerIdle() {
        for stretch in stretches {
            for piece in stretch.pieces where !piece.isUsed { stretch.pages.offer(piece.range) }
        }
    }

    /// Gives back what is idle, and starts anew to look how much is in use.
    mutating func giveBackIdle() {
        mostUsed = usedCount
        giveBack(downTo: usedCount)
    }

    // MARK: - Pieces

    /// The smallest idle piece of at least so many pages.
    private func bestPiece(_ count: Int) -> (stretch: Int, index: Int)? {
        var best: (stretch: Int, index: Int)?
        var size = Int.max
        for stretch in stretches.indices {
            for (index, piece) in stretches[stretch].pieces.enumerated()
            where !piece.isUsed && piece.range.count >= count && piece.range.count < size {
                best = (stretch, index)
                size = piece.range.count
            }
        }
        return best
    }

    private mutating func newStretch(_ count: Int) throws -> (stretch: Int, index: Int) {
        stretches.append(
            Stretch(
                pages: try Pages(count: count), pieces: [Piece(range: 0..<count, isUsed: false)]))
        return (stretches.count - 1, 0)
    }

    /// Makes one of an idle piece and an idle one before it.
    private mutating func join(_ index: Int, in stretch: Int) {
        let pieces = stretches[stretch].pieces
        guard index > 0, index < pieces.count, !pieces[index - 1].isUsed, !pieces[index].isUsed
        else { return }
        stretches[stretch].pieces[index - 1].range =
            pieces[index - 1].range.lowerBound..<pieces[index].range.upperBound
        stretches[stretch].pieces.remove(at: index)
    }

    /// Empties idle pages, those of the youngest stretches first, until no more than `bound` are filled.
    private mutating func giveBack(downTo bound: Int) {
        for stretch in stretches.indices.reversed() where filledCount > bound {
            for piece in stretches[stretch].pieces.reversed() where !piece.isUsed {
                filledCount -= stretches[stretch].pages.empty(
                    piece.range, most: max(filledCount - bound, 0))
            }
        }
        stretches.removeAll { stretch in
            guard stretch.isIdle, !stretch.pages.isFilled.contains(true) else { return false }
            stretch.pages.giveBack()
            return true
        }
    }
}
