import Glibc

/// Memory as the system gives it: whole huge pages, of which there are fewer to fill and to find. Not from
/// `malloc`, which would keep memory of this size from the first time on that some is freed.
///
/// The system fills a page with zeros when it is first touched. Pages know which of theirs are filled, and
/// can give the rest of the system back those that nobody needs.
struct Pages {
    /// Bytes of a page.
    static let size = 2 << 20

    let address: UnsafeMutableRawPointer
    /// For each page whether it may be filled.
    private(set) var isFilled: [Bool]

    var byteCount: Int { isFilled.count * Self.size }

    /// How many pages so many bytes take.
    static func count(for byteCount: Int) -> Int { (byteCount + size - 1) / size }

    /// - Parameter count: of pages, at least one.
    /// - Throws: `TorchError.invalidArgument` if there is not so much.
    init(count: Int) throws {
        let size = Self.size
        guard count < .max / size - 1,
            let start = mmap(
                nil, (count + 1) * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0), start != MAP_FAILED
        else { throw TorchError.noMemory(byteCount: count.multipliedReportingOverflow(by: size).0) }
        // A page more than needed, so that there are `count` from a page's boundary on.
        let before = -Int(bitPattern: start) & (size - 1)
        address = start + before
        if before > 0 { munmap(start, before) }
        munmap(address + count * size, size - before)
        madvise(address, count * size, MADV_HUGEPAGE)
        isFilled = [Bool](repeating: false, count: count)
    }

    /// The number of pages that were not filled and may be so now.
    mutating func fill(_ range: Range<Int>) -> Int {
        var count = 0
        for page in range where !isFilled[page] {
            isFilled[page] = true
            count += 1
        }
        return count
    }

    /// Gives back filled pages, the last ones first.
    /// - Parameter most: how many at most.
    /// - Returns: how many they were.
    mutating func empty(_ range: Range<Int>, most: Int) -> Int {
        var count = 0
        for page in range.reversed() where isFilled[page] && count < most {
            madvise(address + page * Self.size, Self.size, MADV_DONTNEED)
            isFilled[page] = false
            count += 1
        }
        return count
    }

    /// Lets the system take what pages hold if it needs the room. Until then they stay filled.
    func offer(_ range: Range<Int>) {
        madvise(address + range.lowerBound * Self.size, range.count * Self.size, MADV_FREE)
    }

    /// Gives all of them back for good.
    func giveBack() {
        munmap(address, byteCount)
    }
}

extension TorchError {
    static func noMemory(byteCount: Int) -> TorchError {
        .invalidArgument("There is no memory for \(byteCount) bytes.")
    }
}
