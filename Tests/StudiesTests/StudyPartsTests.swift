import Foundation
import TestSupport
import Testing

@testable import Studies

/// The parts of a study's run by themselves.
@Suite struct StudyPartsTests {
    // MARK: - Shards

    @Test func everyPictureIsInOnePart() throws {
        for count in 1...7 {
            let shards = try (1...count).map { try Shard(number: $0, of: count) }
            for index in 0..<20 { #expect(shards.filter { $0.contains(index) }.count == 1) }
        }
        #expect(try Shard(parsing: "2/5") == Shard(number: 2, of: 5))
    }

    @Test(arguments: ["", "/", "1", "0/5", "6/5", "-1/5", "1/0", "1/5/2", "a/b", "1/ 5"])
    func whatIsNoPartIsRefused(_ text: String) {
        #expect(throws: StudyError.self) { try Shard(parsing: text) }
    }

    // MARK: - The array

    @Test(arguments: [1, 3, 1000]) func numpyReadsTheArray(_ count: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("latents.npy")
        let stacked = try StackedLatents(path: path, count: count, shape: [2, 3, 5])
        for row in stride(from: count - 1, to: -1, by: -2) {
            let values = (0..<30).map { Float(row * 100 + $0) }
            try stacked.write(
                values.withUnsafeBytes { Array($0) }, shape: [1, 2, 3, 5], row: row)
        }
        let names = (0..<count).map { $0 == 0 ? "a \"b\", c" : "\($0)" }
        #expect(try folder.contents().allSatisfy { $0.hasSuffix(".tmp") })
        try stacked.finish(index: folder.file("latents.csv"), names: names)
        let answer = try PythonReference("reference.py").run(
            "stacked", folder.path, answer: Stacked.self)
        #expect(answer.shape == [count, 2, 3, 5])
        #expect(answer.dtype == "<f4")
        #expect(answer.names == names)
        #expect(answer.offset % 64 == 0)
        for row in 0..<count {
            let isWritten = (count - 1 - row) % 2 == 0
            #expect(answer.status[row] == (isWritten ? "done" : "failed"))
            #expect(answer.first[row] == (isWritten ? Double(row * 100) : nil))
            #expect(answer.last[row] == (isWritten ? Double(row * 100 + 29) : nil))
        }
    }

    private struct Stacked: Decodable {
        let shape: [Int]
        let dtype: String
        let offset: Int
        let names, status: [String]
        let first, last: [Double?]
    }

    @Test func anotherShapeIsRefusedAndNothingIsLeft() throws {
        let folder = try TemporaryFolder()
        do {
            let stacked = try StackedLatents(
                path: folder.file("a.npy"), count: 2, shape: [4, 2, 2])
            #expect(throws: (any Error).self) {
                try stacked.write([UInt8](repeating: 0, count: 96), shape: [1, 4, 3, 2], row: 0)
            }
        }
        #expect(try folder.contents() == [])
    }

    // MARK: - Threads

    @Test func elementsPassInOrderAndAFewAtATime() throws {
        let queue = BoundedQueue<Int>(capacity: 3)
        let producer = try WorkerThread {
            for number in 0..<10_000 { guard queue.push(number) else { return } }
            queue.close()
        }
        var expected = 0
        while case .element(let number) = queue.take() {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == 10_000)
        producer.join()
    }

    @Test func whoWaitsHearsOfTheEnd() throws {
        let full = BoundedQueue<Int>(capacity: 1)
        #expect(full.push(1))
        let blocked = try WorkerThread { #expect(!full.push(2)) }
        usleep(10_000)
        full.close(dropping: true)
        blocked.join()
        guard case .end = full.take() else {
            Issue.record("something was left")
            return
        }
        let empty = BoundedQueue<Int>(capacity: 1)
        guard case .nothing = empty.take(within: 0.01) else {
            Issue.record("something came")
            return
        }
    }

    // MARK: - Progress

    @Test func progressIsToldInWords() {
        var progress = StudyProgress(total: 7080)
        #expect("\(progress)" == "0 of 7080 pictures")
        progress.extracted = 120
        progress.seconds = 60
        #expect("\(progress)" == "120 of 7080 pictures, 2.0/s, 58 min left")
        progress.reused = 1000
        progress.failed = 2
        progress.seconds = 1220
        #expect(
            "\(progress)"
                == "1122 of 7080 pictures, 10.0 s each, 16 h 33 min left, 1000 were there, 2 failed"
        )
        progress.extracted = 6078
        #expect("\(progress)".hasPrefix("7080 of 7080 pictures, 5.0/s, 1000 were there"))
    }
}
