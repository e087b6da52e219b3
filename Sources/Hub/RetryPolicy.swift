import Glibc

/// How often a request is repeated that failed for a passing reason, and after which pauses.
struct RetryPolicy: Sendable {
    /// In a row without a byte gained.
    var attempts = 5
    /// In seconds; doubled after each failure.
    var firstPause = 1.0
    var longestPause = 30.0
    /// A server that wants a longer pause than this gets an error instead.
    var longestWish = 300.0

    /// - Parameters:
    ///   - gained: whether the last attempt brought something, so that counting begins anew.
    ///   - waiting: called several times a second during a pause, with the seconds that are left
    ///     of it; may throw to give up.
    func run<Result>(
        gained: () -> Bool = { false }, waiting: (Double, HubError) throws -> Void,
        _ body: () throws -> Result
    ) throws -> Result {
        var failures = 0
        while true {
            do {
                return try body()
            } catch let error as HubError where error.isPassing {
                failures = gained() ? 1 : failures + 1
                var pause = min(firstPause * Double(1 << min(failures - 1, 20)), longestPause)
                // Many machines that failed together shall not come back together.
                pause *= Double.random(in: 0.75...1.25)
                if case .rateLimited(_, let wish?, _) = error { pause = max(pause, wish) }
                guard failures < attempts, pause <= longestWish else { throw error }
                let end = Clock.now + pause
                while Clock.now < end {
                    try waiting(end - Clock.now, error)
                    usleep(UInt32(min(max(end - Clock.now, 0), 0.1) * 1e6))
                }
            }
        }
    }
}

/// Seconds on a clock that nobody sets.
enum Clock {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
