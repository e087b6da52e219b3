/// One fetch of a model into the cache, from the hub's list of files to the last link.
final class Fetch {
    private let id: ModelID
    private let revision: Revision
    private let cache: HubCache
    private let retry: RetryPolicy
    private let endpoint: HubEndpoint
    private let progress: (HubProgress) throws -> Void
    private let meter: Meter

    /// The meter, shared with what the endpoint calls during requests.
    private final class Meter {
        var value = TransferMeter()
    }

    /// A missing file, and what the hub says about it.
    private struct Wanted {
        let file: String
        let metadata: HubEndpoint.FileMetadata
    }

    /// - Parameter progress: called several times a second; may throw to give up.
    /// - Throws: `HubError.invalidEndpoint`.
    init(
        _ id: ModelID, _ revision: Revision, in environment: HubEnvironment, retry: RetryPolicy,
        progress: @escaping (HubProgress) throws -> Void
    ) throws {
        self.id = id
        self.revision = revision
        self.retry = retry
        self.progress = progress
        cache = HubCache(folder: environment.cacheFolder, id: id)
        let meter = Meter()
        self.meter = meter
        endpoint = try HubEndpoint(id, in: environment) {
            if let transfer = meter.value.report() { try progress(.receiving(transfer)) }
        }
    }

    /// Asks the hub which files there are.
    /// - Parameter patiently: repeats the request where that may help.
    func listing(patiently: Bool) throws -> HubEndpoint.Listing {
        guard patiently else { return try endpoint.listing(of: revision) }
        return try repeated { try endpoint.listing(of: revision) }
    }

    /// Fetches what of `files` is needed and missing.
    /// - Returns: the folder of the snapshot.
    func complete(_ listing: HubEndpoint.Listing, _ files: ModelFiles) throws -> String {
        let names = Set(listing.files)
        let needed = try files.needed(of: id.description, among: names) { file in
            try fetch([file], of: listing.commit)
            return try FileSystem.contents(
                of: "\(cache.snapshot(of: listing.commit))/\(file)", limit: 100 << 20)
        }
        try fetch(needed, of: listing.commit)
        // Last, so that a revision never stands for a commit that is half here.
        cache.note(revision, is: listing.commit)
        return cache.snapshot(of: listing.commit)
    }

    // MARK: - Files

    private func fetch(_ files: [String], of commit: String) throws {
        let missing = files.filter { !cache.has($0, of: commit) }
        guard !missing.isEmpty else { return }
        let wanted = try missing.map { file in
            Wanted(
                file: file,
                metadata: try repeated { try endpoint.metadata(of: file, at: commit) })
        }
        try checkSpace(wanted)
        meter.value.totalBytes += wanted.reduce(0) { $0 + ($1.metadata.size ?? 0) }
        cache.tagFolder()
        for one in wanted {
            meter.value.file = one.file
            try fetch(one, of: commit)
            try cache.link(one.file, of: commit, to: one.metadata.etag)
            if let transfer = meter.value.report(always: true) {
                try progress(.receiving(transfer))
            }
        }
    }

    /// Rather now than after an hour.
    private func checkSpace(_ wanted: [Wanted]) throws {
        var needed = 0
        var counted: Set<String> = []
        for metadata in wanted.map(\.metadata) where counted.insert(metadata.etag).inserted {
            guard !hasBlob(metadata) else { continue }
            let here = PartialBlob.size(of: metadata.etag, in: cache.blobs)
            let (sum, overflow) = needed.addingReportingOverflow(
                max((metadata.size ?? 0) - here, 0))
            needed = overflow ? .max : sum
        }
        guard needed > 0, let free = FileSystem.freeSpace(at: cache.blobs), free < needed else {
            return
        }
        throw HubError.noSpace(folder: cache.folder, needed: needed, free: free)
    }

    /// Whether a blob is here. One of another size was written by something that broke off.
    private func hasBlob(_ metadata: HubEndpoint.FileMetadata) -> Bool {
        guard let size = FileSystem.size(of: cache.blob(metadata.etag)) else { return false }
        return metadata.size == nil || metadata.size == size
    }

    // MARK: - One blob

    private func fetch(_ wanted: Wanted, of commit: String) throws {
        let etag = wanted.metadata.etag
        if hasBlob(wanted.metadata) {
            meter.value.adjust(by: wanted.metadata.size ?? 0)
            return
        }
        try FileSystem.makeFolder(cache.blobs)
        let waiting = HubProgress.waiting(
            seconds: 0, reason: "Another process is fetching \(wanted.file).")
        try FileLock.hold(cache.lock(of: etag)) {
            try progress(waiting)
        } _: { isAlone in
            var mayAdopt = isAlone
            while !hasBlob(wanted.metadata) {
                do {
                    return try fetchBlob(wanted, of: commit, mayAdopt: mayAdopt)
                } catch is PartialBlob.Taken {
                    // Locks hold nobody off here. That costs a second copy, and nothing else.
                    mayAdopt = false
                }
            }
            // Whoever held the lock has fetched it.
            meter.value.adjust(by: wanted.metadata.size ?? 0)
        }
    }

    private func fetchBlob(_ wanted: Wanted, of commit: String, mayAdopt: Bool) throws {
        let blob = try PartialBlob(wanted.metadata.etag, in: cache.blobs, mayAdopt: mayAdopt) {
            if let transfer = meter.value.report() { try progress(.receiving(transfer)) }
        }
        meter.value.adjust(by: blob.count)
        do {
            try fill(blob, wanted, of: commit)
            try blob.finish()
        } catch is PartialBlob.Taken {
            meter.value.adjust(by: -blob.count)
            throw PartialBlob.Taken()
        } catch {
            throw abandon(blob, wanted, error)
        }
    }

    /// Keeps of an unfinished blob what the next run can go on from.
    /// - Returns: what to tell of the error that broke it off.
    private func abandon(_ blob: PartialBlob, _ wanted: Wanted, _ error: any Error) -> any Error {
        switch error as? HubError {
        case .damaged?:
            blob.discard()
        case .noSpace(let folder, nil, let free)?:
            // A full disk troubles more than this; the room is given back.
            blob.discard()
            return HubError.noSpace(
                folder: folder, needed: wanted.metadata.size, free: free + blob.count)
        default:
            if !blob.isResumable { blob.discard() }
        }
        return error
    }

    /// Fetches until the blob is whole and right.
    private func fill(_ blob: PartialBlob, _ wanted: Wanted, of commit: String) throws {
        let size = wanted.metadata.size
        for attempt in 0... {
            if blob.count != size || size == 0 {
                try receive(blob, wanted, of: commit)
            }
            guard let fault = blob.fault(expectedSize: size) else { return }
            // Once more from the beginning: what was kept from an earlier run may be at fault.
            guard attempt == 0 else {
                throw HubError.damaged(file: wanted.file, reason: fault)
            }
            try restart(blob)
        }
    }

    /// Fetches the rest of a blob, however often the connection breaks.
    private func receive(_ blob: PartialBlob, _ wanted: Wanted, of commit: String) throws {
        var before = blob.count
        try repeated {
            let gained = blob.count > before
            before = blob.count
            return gained
        } _: {
            // Without a hash nothing would prove that two halves belong together.
            if !blob.isResumable { try restart(blob) }
            before = blob.count
            try endpoint.bytes(of: wanted.file, at: commit, from: blob.count) { place, bytes in
                if place != blob.count {
                    guard place == 0 else {
                        throw HubError.damaged(
                            file: wanted.file, reason: "The server sent another part of it.")
                    }
                    // A server that knows no ranges sends the whole file.
                    try restart(blob)
                }
                if let size = wanted.metadata.size, blob.count + bytes.count > size {
                    throw HubError.damaged(
                        file: wanted.file,
                        reason: "More bytes come than the \(size) that the hub speaks of.")
                }
                try blob.append(bytes)
                meter.value.add(bytes.count)
            }
        }
    }

    private func restart(_ blob: PartialBlob) throws {
        meter.value.adjust(by: -blob.count)
        try blob.restart()
    }

    private func repeated<Result>(
        gained: () -> Bool = { false }, _ body: () throws -> Result
    ) throws -> Result {
        try retry.run(gained: gained) { seconds, error in
            try progress(.waiting(seconds: seconds, reason: error.description))
        } _: {
            try body()
        }
    }
}
