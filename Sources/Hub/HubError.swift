/// Why a model could not be fetched, and what to do about it.
public enum HubError: Error, Equatable, CustomStringConvertible {
    /// A text that is no model id.
    case invalidID(String, reason: String)
    /// A text that can name no branch, tag or commit.
    case invalidRevision(String)
    /// An `HF_ENDPOINT` that is no address.
    case invalidEndpoint(String)

    /// No such model, or a private one; the hub does not say which.
    case notFound(id: String, endpoint: String, hasToken: Bool)
    /// A model that left the hub, which somebody else carries on.
    case moved(id: String, mirror: String)
    case revisionNotFound(id: String, revision: String)
    /// A model whose owner asks for consent first.
    case gated(id: String, endpoint: String, hasToken: Bool)
    /// The hub does not accept the token.
    case tokenRefused(source: String, endpoint: String)
    /// The hub says no for another reason.
    case forbidden(id: String, reason: String)

    /// Too many requests. `retryAfter` is in seconds.
    case rateLimited(host: String, retryAfter: Double?, hasToken: Bool)
    /// No answer, or half of one.
    case network(url: String, reason: String)
    /// An answer with a status that speaks of the server's own trouble.
    case serverTrouble(url: String, status: Int)
    /// An answer that makes no sense from a hub.
    case badAnswer(url: String, reason: String)
    /// A file that arrived other than the hub describes it.
    case damaged(file: String, reason: String)

    /// A model without weights of the wanted variant in one of its components; `found` are the
    /// weights that it has there.
    case noWeights(id: String, component: String, variant: String?, found: [String])
    /// A model that lacks files that every model of its kind has.
    case missingFiles(id: String, files: [String])
    /// Not all of the model is in the cache, and the hub may not be asked.
    case offline(id: String, revision: String, cache: String, reason: String)

    /// The disk is too small. Bytes; `needed` is nil where the hub did not tell the size.
    case noSpace(folder: String, needed: Int?, free: Int)
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)

    public var description: String {
        switch self {
        case .invalidID(let id, let reason):
            return """
                \(quoted(id)) is not the id of a model: \(reason) Pass one as \
                "stable-diffusion-v1-5/stable-diffusion-v1-5", or the folder of a model.
                """
        case .invalidRevision(let revision):
            return """
                \(quoted(revision)) is not the name of a branch or tag, nor a commit. Pass one as "main".
                """
        case .invalidEndpoint(let endpoint):
            return """
                HF_ENDPOINT is \(quoted(endpoint)), which is no address. Set it to one as \
                "https://huggingface.co", or unset it.
                """
        case .notFound(let id, let endpoint, let hasToken):
            return """
                There is no model \(quoted(id)) on \(endpoint), or it is private. Check the name; if it is \
                private, \(hasToken ? "use the token of an account that may read it." : Self.logIn(endpoint))
                """
        case .moved(let id, let mirror):
            return """
                \(quoted(id)) left the Hugging Face Hub. Pass its mirror, \(quoted(mirror)), or the folder of a \
                copy.
                """
        case .revisionNotFound(let id, let revision):
            return """
                \(quoted(id)) has no branch, tag or commit \(quoted(revision)). Pass another revision; "main" is \
                the usual one.
                """
        case .gated(let id, let endpoint, let hasToken):
            return """
                \(quoted(id)) is gated: its owner wants to be asked first. Ask for access on \(endpoint)/\(id)\
                \(hasToken ? " with the account that the token belongs to." : ", then \(Self.logIn(endpoint))")
                """
        case .tokenRefused(let source, let endpoint):
            return """
                \(endpoint) does not accept the token from \(source). It may have expired: make a new one on \
                \(endpoint)/settings/tokens, then \(Self.logIn(endpoint))
                """
        case .forbidden(let id, let reason):
            return """
                The hub does not give out \(quoted(id)): \(reason) Does the token have the right to read it?
                """
        case .rateLimited(let host, let retryAfter, let hasToken):
            let wait = retryAfter.map { "in \(Int($0.rounded(.up))) seconds" } ?? "later"
            return """
                \(host) has had too many requests from here. Try again \(wait)\
                \(hasToken ? "." : "; with a token it allows more: \(Self.logIn(host))")
                """
        case .network(let url, let reason):
            return """
                Cannot reach \(url): \(reason). Check the network, and HTTPS_PROXY if there is a proxy. What has \
                arrived is kept; a new run goes on from there.
                """
        case .serverTrouble(let url, let status):
            return "The server is in trouble (status \(status) for \(url)). Try again later."
        case .badAnswer(let url, let reason):
            return """
                \(url) gave no answer of a hub: \(reason) Check HF_ENDPOINT, and whether a proxy or firewall \
                answers in its place; SSL_CERT_FILE can name the certificates to trust.
                """
        case .damaged(let file, let reason):
            return """
                \(quoted(file)) arrives damaged: \(reason) It was dropped. Try again; if it stays so, the hub's \
                copy or something on the way here is broken.
                """
        case .noWeights(let id, let component, let variant, let found):
            let wanted = variant.map { "weights of the variant \(quoted($0))" } ?? "weights"
            let there =
                found.isEmpty
                ? "It has none there. Pass a model in the layout of diffusers."
                : "It has \(Self.listed(found)). Pass the variant that is there."
            return "\(quoted(id)) has no \(wanted) in \(quoted(component)). \(there)"
        case .missingFiles(let id, let files):
            return """
                \(quoted(id)) lacks \(Self.listed(files)). Pass a model in the layout of diffusers.
                """
        case .offline(let id, let revision, let cache, let reason):
            return """
                \(quoted(id)) (\(revision)) is not wholly in the cache \(cache), and HF_HUB_OFFLINE forbids to fetch \
                it: \(reason) Fetch it once without HF_HUB_OFFLINE, or name the cache that holds it with \
                HF_HUB_CACHE.
                """
        case .noSpace(let folder, let needed, let free):
            let need = needed.map { "\(Self.size($0)) are needed" } ?? "The disk is full"
            return """
                Not enough room in \(folder): \(need), \(Self.size(free)) are free. Make room, or name a folder on a \
                larger disk with HF_HUB_CACHE.
                """
        case .cannotWrite(let path, let reason):
            return """
                Cannot write \(path): \(reason). Make the folder writable, or name another with HF_HUB_CACHE; \
                a cache that holds the whole model may be read-only.
                """
        case .cannotRead(let path, let reason):
            return "Cannot read \(path): \(reason)."
        }
    }

    private static func logIn(_ endpoint: String) -> String {
        "log in with `hf auth login`, or set HF_TOKEN to a token from \(endpoint)/settings/tokens."
    }

    private static func listed(_ names: [String]) -> String {
        let limit = 20
        let shown = names.prefix(limit).map(quoted).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }

    /// A number of bytes as people write it.
    static func size(_ bytes: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) bytes" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    // MARK: - What follows from an error

    /// Whether the same request may succeed a moment later.
    var isPassing: Bool {
        switch self {
        case .rateLimited, .network, .serverTrouble: true
        default: false
        }
    }

    /// Whether what was fetched before may stand in: the hub did not answer, or does not give the
    /// model to us any more. A revision that it says does not exist is no such case.
    var leavesKeptCopy: Bool {
        switch self {
        case .notFound, .moved, .gated, .tokenRefused, .forbidden, .rateLimited, .network,
            .serverTrouble, .badAnswer:
            true
        default: false
        }
    }
}
