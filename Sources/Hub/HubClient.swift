import FoundationEssentials

/// Turns the id of a model on the Hugging Face Hub into the folder of a local copy.
///
/// The copy lies in the cache that the huggingface_hub and diffusers libraries of Python use; what
/// either has fetched, the other finds. Only files that are needed and not there are fetched. Any
/// number of processes may do so at once, and any may be killed: a file stands under its name only
/// when it is whole, and what had arrived of it is the next run's beginning.
///
/// These environment variables count, as for those libraries: `HF_HUB_CACHE`, `HF_HOME`,
/// `XDG_CACHE_HOME`, `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`,
/// `HF_HUB_ETAG_TIMEOUT`, `HF_HUB_DOWNLOAD_TIMEOUT`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`,
/// `SSL_CERT_FILE`, `SSL_CERT_DIR`.
public struct HubClient: Sendable {
    private let environment: HubEnvironment
    private let retry: RetryPolicy

    /// - Parameters:
    ///   - environment: variables; the process's own by default.
    ///   - cacheFolder: where to keep models, in place of what the variables say.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        cacheFolder: String? = nil
    ) {
        self.init(environment: environment, cacheFolder: cacheFolder, retry: RetryPolicy())
    }

    init(environment: [String: String], cacheFolder: String? = nil, retry: RetryPolicy) {
        self.environment = HubEnvironment(environment, cacheFolder: cacheFolder)
        self.retry = retry
    }

    /// The folder of a model, in the layout of diffusers; fetches what is missing.
    ///
    /// Where the hub cannot be asked, or does not give the model out any more, a copy that was
    /// fetched before and has all that is needed will do; `progress` hears of it. A commit of which
    /// everything is there is not asked for.
    ///
    /// - Parameters:
    ///   - id: "owner/name".
    ///   - revision: a branch, a tag or a commit.
    ///   - variant: "fp16" takes weights in half precision. Nil takes the plain ones, and what there
    ///     is in half precision for a component that has no others.
    ///   - fallsBackToPlain: takes plain weights for components that have none of the variant.
    ///   - parts: what of the model.
    ///   - progress: called several times a second on this thread. What it throws ends the fetch
    ///     and is thrown on; what has arrived by then is kept for the next.
    /// - Returns: an absolute path.
    /// - Throws: `HubError`, or what `progress` throws.
    public func snapshot(
        of id: String, revision: String = "main", variant: String? = nil,
        fallsBackToPlain: Bool = false, parts: HubParts = .wholeModel,
        progress: (HubProgress) throws -> Void = { _ in }
    ) throws -> String {
        let id = try ModelID(id)
        let revision = try Revision(revision)
        let files = ModelFiles(
            parts: parts, variant: variant, fallsBackToPlain: fallsBackToPlain)

        let kept = Result { try folderInCache(id, revision, files) }
        if environment.isOffline {
            do {
                return try kept.get()
            } catch {
                throw HubError.offline(
                    id: id.description, revision: revision.description,
                    cache: environment.cacheFolder, reason: "\(error)")
            }
        }
        let keptFolder = try? kept.get()
        if revision.isCommit, let keptFolder { return keptFolder }

        return try withoutActuallyEscaping(progress) { progress in
            let fetch = try Fetch(
                id, revision, in: environment, retry: retry, progress: progress)
            let listing: HubEndpoint.Listing
            do {
                listing = try fetch.listing(patiently: keptFolder == nil)
            } catch let error as HubError where error.leavesKeptCopy {
                guard let keptFolder else { throw error }
                try progress(.usingKeptCopy(folder: keptFolder, reason: error.description))
                return keptFolder
            }
            return try fetch.complete(listing, files)
        }
    }

    /// Why a copy in the cache will not do.
    private struct NotKept: Error, CustomStringConvertible {
        let description: String
    }

    /// The folder of a snapshot in the cache that has all that is needed.
    /// - Throws: why there is none.
    private func folderInCache(
        _ id: ModelID, _ revision: Revision, _ files: ModelFiles
    ) throws -> String {
        let cache = HubCache(folder: environment.cacheFolder, id: id)
        guard let commit = cache.commit(of: revision) else {
            throw NotKept(description: "Nothing of it is there.")
        }
        let folder = cache.snapshot(of: commit)
        let names = cache.files(of: commit).filter(PlainName.isRelativePath)
        let needed = try files.needed(of: id.description, among: Set(names)) { file in
            try FileSystem.contents(of: "\(folder)/\(file)", limit: 100 << 20)
        }
        let missing = needed.filter { !cache.has($0, of: commit) }
        guard missing.isEmpty else {
            throw HubError.missingFiles(id: id.description, files: missing)
        }
        return folder
    }
}
