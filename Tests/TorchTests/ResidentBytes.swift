import Foundation
import Testing

/// How much memory this process holds.
func residentBytes() throws -> Int {
    let line = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii)
    let pages = try #require(Int(line.split(separator: " ")[1]))
    return pages * 4096
}
