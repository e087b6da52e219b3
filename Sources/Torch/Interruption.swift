import Glibc

/// A way to stop a long computation from outside.
///
/// Every operation asks before it starts, so whoever stops a run waits for one operation at most,
/// and no layer or pipeline has to think of it. A cancelled `Task` stops its work in the same way.
public enum Interruption {
    /// Asked now and then while `body` of `withCheck` runs. A throw ends the work with that error.
    @TaskLocal private static var polled: Poll?

    /// Runs `body`; operations in it call `check` on this thread, at most every 20 ms.
    public static func withCheck<Result>(
        _ check: @escaping @Sendable () throws -> Void, _ body: () throws -> Result
    ) rethrows -> Result {
        try $polled.withValue(Poll(check)) { try body() }
    }

    /// Throws if the work was asked to stop. Operations call it; what waits for another thread has to.
    public static func check() throws {
        try Task.checkCancellation()
        try polled?.run()
    }
}

extension Interruption {
    /// A check with a clock: asking Python for signals at each of thousands of small operations
    /// would cost more than they do.
    ///
    /// `@unchecked Sendable`: one thread runs the work and so reads and writes `due`.
    private final class Poll: @unchecked Sendable {
        private static let interval: Int64 = 20_000_000
        private let body: @Sendable () throws -> Void
        private var due: Int64 = 0

        init(_ body: @escaping @Sendable () throws -> Void) {
            self.body = body
        }

        func run() throws {
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let nanoseconds = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
            guard nanoseconds >= due else { return }
            due = nanoseconds + Self.interval
            try body()
        }
    }
}
