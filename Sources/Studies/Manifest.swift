import Files
import FoundationEssentials
import Glibc

/// The manifest of a study's folder, in JSON Lines: rows are added as pictures are finished, so that a
/// killed run has told of all but the last, and put in order at the end.
final class Manifest {
    private let path: String
    private let descriptor: Int32

    /// Opens it to add rows.
    /// - Throws: `WriteError`.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw WriteError(path: path, reason: SystemError.words) }
        try endLastLine()
    }

    deinit { close(descriptor) }

    /// A line without its end.
    static func line(_ row: StudyRow) throws -> [UInt8] {
        try StudyJSON.text(row, isPretty: false)
    }

    /// - Throws: `WriteError`.
    func append(_ line: [UInt8]) throws {
        // In one call, so that lines of several processes would not mix.
        var rest = (line + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw WriteError(path: path, reason: SystemError.words) }
            rest = rest.dropFirst(count)
        }
    }

    /// The last row of each name in a manifest; none if there is no manifest. Lines that are cut off or no
    /// rows are passed over: the latents' files say what is done.
    static func rows(at path: String) throws -> [String: StudyRow] {
        let bytes: [UInt8]
        do {
            bytes = try FileBytes.of(path)
        } catch let error as ReadError where error.isMissing {
            return [:]
        }
        var rows: [String: StudyRow] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let row = try? StudyJSON.decoder.decode(StudyRow.self, from: Data(line)) else {
                continue
            }
            rows[row.name] = row
        }
        return rows
    }

    /// Writes a whole manifest in the place of one.
    /// - Throws: `WriteError`.
    static func write(_ lines: [[UInt8]], to path: String) throws {
        try AtomicFile.write(to: path) { file in
            for line in lines {
                try (line + [UInt8(ascii: "\n")]).withUnsafeBytes { try file.append($0) }
            }
        }
    }

    /// A run that was killed may have left half a line.
    private func endLastLine() throws {
        let size = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        guard size > 0, pread(descriptor, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n")
        else {
            return
        }
        try append([])
    }
}
