import Glibc

/// Hands elements from one thread to another, a few at a time: whoever is ahead waits.
///
/// `@unchecked Sendable`: everything is read and written under the lock; elements are handed over,
/// not shared.
final class BoundedQueue<Element>: @unchecked Sendable {
    private let capacity: Int
    private var elements: [Element] = []
    private var isClosed = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(capacity: Int) {
        self.capacity = capacity
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Setting the clock of the machine must not make anybody wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Waits for room. False, and nothing is added, once the queue is closed.
    func push(_ element: sending Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while elements.count >= capacity && !isClosed { pthread_cond_wait(changed, mutex) }
        guard !isClosed else { return false }
        elements.append(element)
        pthread_cond_broadcast(changed)
        return true
    }

    enum Taken {
        case element(Element)
        /// Nothing came in time.
        case nothing
        /// The queue is closed, and everything has been taken.
        case end
    }

    /// - Parameter seconds: how long to wait for an element; for ever unless given.
    func take(within seconds: Double? = nil) -> Taken {
        var deadline = timespec()
        if let seconds {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanoseconds = deadline.tv_nsec + Int(seconds * 1e9)
            deadline.tv_sec += nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while elements.isEmpty {
            if isClosed { return .end }
            if seconds == nil {
                pthread_cond_wait(changed, mutex)
            } else if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                break
            }
        }
        guard !elements.isEmpty else { return isClosed ? .end : .nothing }
        let element = elements.removeFirst()
        pthread_cond_broadcast(changed)
        return .element(element)
    }

    /// Nothing more comes.
    /// - Parameter dropping: whether what was not taken yet is dropped.
    func close(dropping: Bool = false) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isClosed = true
        if dropping { elements = [] }
        pthread_cond_broadcast(changed)
    }
}
