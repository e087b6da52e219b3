/// Counts the bytes of a fetch and tells how fast they come.
struct TransferMeter {
    private(set) var receivedBytes = 0
    var totalBytes = 0
    var file = ""
    /// Over how many seconds the rate is taken: long enough to be steady, short enough to follow.
    private let span = 5.0
    /// Bytes off the network at moments, the oldest about `span` ago.
    private var samples: [(time: Double, bytes: Int)] = []
    private var fromNetwork = 0
    private var lastReport = -Double.infinity

    /// Bytes off the network.
    mutating func add(_ count: Int) {
        receivedBytes += count
        fromNetwork += count
        let now = Clock.now
        if let last = samples.last, now - last.time < 0.1 { return }
        samples.append((now, fromNetwork))
        while samples.count > 2, now - samples[1].time > span { samples.removeFirst() }
    }

    /// Bytes that were here already or came by another process; negative for those thrown away.
    mutating func adjust(by count: Int) { receivedBytes += count }

    private var bytesPerSecond: Double {
        guard let first = samples.first else { return 0 }
        let seconds = Clock.now - first.time
        return seconds > 0 ? Double(fromNetwork - first.bytes) / seconds : 0
    }

    /// What to report, at most ten times a second unless it must be.
    mutating func report(always: Bool = false) -> HubTransfer? {
        let now = Clock.now
        guard always || now - lastReport >= 0.1 else { return nil }
        lastReport = now
        return HubTransfer(
            file: file, receivedBytes: receivedBytes, totalBytes: max(totalBytes, receivedBytes),
            bytesPerSecond: bytesPerSecond)
    }
}
