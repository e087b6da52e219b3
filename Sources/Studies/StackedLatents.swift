import Files
import Glibc

/// All latents of a study in one array for `numpy.load`, row i being picture i, float32
/// `[N, C, H / 8, W / 8]`; rows of pictures that failed are NaN. Beside it a table of the rows' names.
///
/// The file has its whole size from the first row on, so that a disk too small shows then; rows are
/// written where they belong, and nothing is kept in memory.
final class StackedLatents {
    private let file: PendingFile
    private let shape: [Int]
    private let headerSize: Int
    private var isWritten: [Bool]

    /// - Parameters:
    ///   - count: number of rows.
    ///   - shape: of one row, `[C, H / 8, W / 8]`.
    /// - Throws: `WriteError`.
    init(path: String, count: Int, shape: [Int]) throws {
        self.shape = shape
        isWritten = [Bool](repeating: false, count: count)
        file = try PendingFile(path: path)
        let header = Self.header(shape: [count] + shape)
        headerSize = header.count
        try write(header, at: 0)
        let size = headerSize + count * rowSize
        let status = posix_fallocate(file.descriptor, 0, off_t(size))
        guard status == 0 else {
            errno = status
            throw file.failure()
        }
    }

    private var rowSize: Int { shape.reduce(MemoryLayout<Float>.size, *) }

    /// - Parameters:
    ///   - elements: float32 in row-major order.
    ///   - shape: `[1, C, H / 8, W / 8]`.
    /// - Throws: `WriteError`, also for latents of another shape.
    func write(_ elements: [UInt8], shape: [Int], row: Int) throws {
        guard Array(shape.dropFirst()) == self.shape, elements.count == rowSize else {
            throw WriteError(
                path: file.path,
                reason: "latents of \(shape) do not stack with those of \(self.shape)")
        }
        try write(elements, at: headerSize + row * rowSize)
        isWritten[row] = true
    }

    /// Gives the array and its table their names.
    /// - Throws: `WriteError`.
    func finish(index: String, names: [String]) throws {
        let blank = [Float](repeating: .nan, count: rowSize / MemoryLayout<Float>.size)
            .withUnsafeBytes { Array($0) }
        var table = "row,name,status\n"
        for (row, name) in names.enumerated() {
            if !isWritten[row] { try write(blank, at: headerSize + row * rowSize) }
            table += "\(row),\(Self.field(name)),\(isWritten[row] ? "done" : "failed")\n"
        }
        try AtomicFile.write(table.utf8, to: index)
        try file.commit()
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                pwrite(file.descriptor, $0.baseAddress, $0.count, off_t(offset + rest.startIndex))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw file.failure() }
            rest = rest.dropFirst(count)
        }
    }

    /// NumPy's format, version 1.0 (numpy.lib.format): the data begin at a multiple of 64.
    private static func header(shape: [Int]) -> [UInt8] {
        let sizes = shape.map(String.init).joined(separator: ", ")
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
        let start: [UInt8] = [0x93] + "NUMPY".utf8 + [1, 0]
        let length = start.count + 2 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - length % 64) % 64) + "\n"
        let count = UInt16(text.utf8.count)
        return start + [UInt8(count & 0xFF), UInt8(count >> 8)] + text.utf8
    }

    /// A field of a CSV file (RFC 4180).
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) } + "\""
    }
}
