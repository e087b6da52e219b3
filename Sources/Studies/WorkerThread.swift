import Glibc

/// A thread that does one thing. Plain POSIX: code of Python's runs on it, which asks for a stack of
/// ordinary size and for waiting that blocks.
final class WorkerThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var thread = pthread_t()
    private var isRunning = true

    /// - Throws: `StudyError.noThread`.
    init(_ body: @escaping @Sendable () -> Void) throws {
        let work = Unmanaged.passRetained(Work(body))
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard status == 0 else {
            work.release()
            isRunning = false
            throw StudyError.noThread(reason: String(cString: strerror(status)))
        }
    }

    /// Waits for its end.
    func join() {
        guard isRunning else { return }
        isRunning = false
        pthread_join(thread, nil)
    }

    deinit { join() }
}
