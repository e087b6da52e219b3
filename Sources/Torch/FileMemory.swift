import Glibc

/// Memory that shows a file, and owns that view of it: what is given back is there again when it is read.
package protocol FileMemory: AnyObject, Sendable {}

extension Tensor {
    /// Tells the system that the pages of a file that this tensor looks at are not needed for now. They stay
    /// in the system's cache while there is room, but no longer count as this process's.
    ///
    /// Does nothing for a tensor in memory of its own.
    package func giveBackFilePages() throws {
        guard memoryOwner is any FileMemory, try isContiguous, let address = try address else {
            return
        }
        let page = Int(getpagesize())
        let first = Int(bitPattern: address) / page * page
        let end = Int(bitPattern: address) + count * (try dtype.byteCount)
        madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED)
    }
}
