import CHub
import FoundationEssentials
import Glibc

/// What the hub is asked: which files a revision has, what a file is, and its bytes.
///
/// The same three requests as the huggingface_hub library makes for single files, so that mirrors and
/// proxies that serve it serve this.
final class HubEndpoint {
    /// What a model has at a revision.
    struct Listing: Equatable {
        let commit: String
        let files: [String]
    }

    /// What the hub says about a file before it sends it.
    struct FileMetadata: Equatable {
        /// The blob's name: its SHA-256 for large files, another hash for small ones.
        let etag: String
        let size: Int?
    }

    private let id: ModelID
    private let environment: HubEnvironment
    private let connection: Connection
    private let onTick: () throws -> Void

    /// - Parameter onTick: called at least once a second during requests; may throw to give up.
    /// - Throws: `HubError.invalidEndpoint`.
    init(
        _ id: ModelID, in environment: HubEnvironment, onTick: @escaping () throws -> Void
    ) throws {
        guard Self.origin(of: environment.endpoint) != nil else {
            throw HubError.invalidEndpoint(environment.endpoint)
        }
        self.id = id
        self.environment = environment
        self.onTick = onTick
        connection = try Connection(environment)
    }

    // MARK: - Requests

    /// - Throws: `HubError`; `.badAnswer` also for a list that names a path outside of the model.
    func listing(of revision: Revision) throws -> Listing {
        struct Contents: Decodable {
            struct Sibling: Decodable { let rfilename: String }
            let sha: String
            let siblings: [Sibling]
        }
        let url =
            "\(environment.endpoint)/api/models/\(id)/revision/"
            + Self.escaped(revision.description, keepingSlashes: false)
        var body: [UInt8] = []
        let final = try follow(url, revision: revision) { answer, bytes in
            guard answer.status == 200 else { return }
            body += bytes
            guard body.count <= 100 << 20 else {
                throw HubError.badAnswer(url: url, reason: "Its list of files has no end.")
            }
        }
        try check(final, revision: revision)
        guard let contents = try? JSONDecoder().decode(Contents.self, from: Data(body)) else {
            throw HubError.badAnswer(url: url, reason: "It is no list of a model's files.")
        }
        guard Revision.isCommit(contents.sha) else {
            throw HubError.badAnswer(url: url, reason: "\(quoted(contents.sha)) is no commit.")
        }
        let files = contents.siblings.map(\.rfilename)
        if let bad = files.first(where: { !PlainName.isRelativePath($0) }) {
            throw HubError.badAnswer(
                url: url, reason: "It lists \(quoted(bad)), which is no path inside of a model.")
        }
        return Listing(commit: contents.sha, files: files)
    }

    /// - Throws: `HubError`; `.badAnswer` also for an etag that cannot name a blob.
    func metadata(of file: String, at commit: String) throws -> FileMetadata {
        let url = address(of: file, at: commit)
        // Large files lie elsewhere, and what the hub itself says before it points there counts.
        let final = try follow(url, headersOnly: true, untilLinked: true)
        let headers = final.headers
        if !final.answer.isRedirect { try check(final, file: file) }
        if let said = headers["x-repo-commit"], said != commit {
            throw HubError.badAnswer(
                url: url, reason: "It speaks of the commit \(quoted(said)) instead.")
        }
        var etag = Substring(headers["x-linked-etag"] ?? headers["etag"] ?? "")
        if etag.hasPrefix("W/") { etag = etag.dropFirst(2) }
        let name = String(etag.filter { $0 != "\"" })
        guard PlainName.isFileName(name), !name.hasPrefix("."), name.utf8.count <= 200 else {
            throw HubError.badAnswer(
                url: url, reason: "Its etag, \(quoted(name)), cannot name a file.")
        }
        let size = headers["x-linked-size"] ?? headers["content-length"]
        return FileMetadata(
            etag: name, size: size.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil })
    }

    /// Gets a file's bytes, from an offset if the server can.
    ///
    /// - Parameter onBytes: takes bytes and the place in the file where they belong.
    /// - Throws: `HubError`, or what `onBytes` throws.
    func bytes(
        of file: String, at commit: String, from offset: Int,
        onBytes: (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let url = address(of: file, at: commit)
        let range = offset > 0 ? ["Range: bytes=\(offset)-"] : []
        var place: Int?
        let final = try follow(url, headers: range) { answer, bytes in
            let start: Int
            switch answer.status {
            case 200: start = place ?? 0
            case 206: start = try place ?? Self.start(of: answer, url)
            default: return
            }
            try onBytes(start, bytes)
            place = start + bytes.count
        }
        // Past the end: what is there is not the beginning of this file.
        if final.answer.status == 416, offset > 0 {
            return try self.bytes(of: file, at: commit, from: 0, onBytes: onBytes)
        }
        try check(final, file: file)
    }

    private static func start(of answer: Connection.Answer, _ url: String) throws -> Int {
        // "bytes 100-199/200"
        let range = answer.headers["content-range"] ?? ""
        let number = range.drop { !$0.isNumber }.prefix { $0.isNumber }
        guard range.hasPrefix("bytes "), let start = Int(number) else {
            throw HubError.badAnswer(
                url: url, reason: "Its part of a file is \(quoted(range)), which is no range.")
        }
        return start
    }

    // MARK: - Redirects

    private struct Final {
        let url: String
        let answer: Connection.Answer
        /// Of all answers on the way; the first of a name counts, but for what an answer says about
        /// its own body.
        let headers: [String: String]
    }

    /// Sends a request and follows redirects. The token goes to the hub alone: addresses on other
    /// hosts are signed themselves, and those hosts have no business with it.
    ///
    /// - Parameter untilLinked: stops at a redirect that says all about the file that it leads to.
    private func follow(
        _ url: String, headersOnly: Bool = false, headers: [String] = [],
        revision: Revision? = nil, untilLinked: Bool = false,
        onBody: (Connection.Answer, UnsafeRawBufferPointer) throws -> Void = { _, _ in }
    ) throws -> Final {
        let home = Self.origin(of: environment.endpoint)
        var url = url
        var collected: [String: String] = [:]
        for _ in 0..<10 {
            var lines = headers + ["User-Agent: gpi-diffusion", "Accept-Encoding: identity"]
            if let token = environment.token, Self.origin(of: url) == home {
                lines.append("Authorization: Bearer \(token.text)")
            }
            let answer = try connection.request(
                url, headersOnly: headersOnly, headers: lines, onBody: onBody, onTick: onTick)
            for (name, value) in answer.headers where name.hasPrefix("x-") {
                collected[name] = collected[name] ?? value
            }
            let isLinked = untilLinked && collected["x-linked-etag"] != nil
            guard answer.isRedirect, !isLinked, let link = answer.headers["location"] else {
                let own = answer.isRedirect ? [:] : answer.headers
                return Final(
                    url: url, answer: answer, headers: collected.merging(own) { first, _ in first })
            }
            guard let next = Self.resolved(link, from: url),
                next.hasPrefix("https:") || !url.hasPrefix("https:")
            else {
                throw HubError.badAnswer(
                    url: url, reason: "It sends on to \(quoted(link)), where it is not safe to go.")
            }
            url = next
        }
        throw HubError.badAnswer(url: url, reason: "It sends on and on.")
    }

    // MARK: - Refusals

    /// - Throws: what an answer other than success comes to.
    private func check(_ final: Final, revision: Revision? = nil, file: String? = nil) throws {
        let answer = final.answer
        if answer.status == 200 || answer.status == 206 { return }
        let endpoint = environment.endpoint
        let hasToken = environment.token != nil
        let code = answer.headers["x-error-code"]
        let message = answer.headers["x-error-message"] ?? ""
        let isHub = Self.origin(of: final.url) == Self.origin(of: endpoint)

        switch answer.status {
        case 429:
            throw HubError.rateLimited(
                host: isHub ? endpoint : Self.origin(of: final.url) ?? final.url,
                retryAfter: answer.headers["retry-after"].flatMap(Self.seconds), hasToken: hasToken)
        case 408, 500...:
            throw HubError.serverTrouble(url: Self.withoutQuery(final.url), status: answer.status)
        case _ where code == "GatedRepo":
            throw HubError.gated(id: id.description, endpoint: endpoint, hasToken: hasToken)
        case _ where code == "RevisionNotFound":
            throw HubError.revisionNotFound(
                id: id.description, revision: revision?.description ?? "")
        case 401 where message.contains("Invalid credentials"):
            throw HubError.tokenRefused(
                source: environment.token?.source ?? "nowhere", endpoint: endpoint)
        case 404 where file != nil && code != "RepoNotFound":
            throw HubError.missingFiles(id: id.description, files: [file ?? ""])
        case _ where code == "RepoNotFound" || (isHub && answer.status == 404),
            // What the hub says to those without a token.
            401 where isHub && code == nil:
            if let mirror = MovedModels.mirror(of: id.description) {
                throw HubError.moved(id: id.description, mirror: mirror)
            }
            throw HubError.notFound(
                id: id.description, endpoint: endpoint, hasToken: hasToken)
        case 401 where isHub, 403 where isHub:
            throw HubError.forbidden(
                id: id.description,
                reason: message.isEmpty ? "status \(answer.status)." : "\(quoted(message)).")
        default:
            let words = message.isEmpty ? "" : ", \(quoted(message))"
            throw HubError.badAnswer(
                url: Self.withoutQuery(final.url),
                reason: "Its status is \(answer.status)\(words).")
        }
    }

    /// What a Retry-After header says: seconds or a date.
    static func seconds(_ retryAfter: String) -> Double? {
        if let seconds = Double(retryAfter) { return seconds >= 0 ? seconds : nil }
        let seconds = hub_seconds_until(retryAfter)
        return seconds >= 0 ? seconds : nil
    }

    // MARK: - Addresses

    private func address(of file: String, at commit: String) -> String {
        "\(environment.endpoint)/\(id)/resolve/\(commit)/\(Self.escaped(file, keepingSlashes: true))"
    }

    /// Text as part of an address (RFC 3986, section 2.3).
    static func escaped(_ text: String, keepingSlashes: Bool) -> String {
        text.utf8.map { byte -> String in
            switch UnicodeScalar(byte) {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": break
            case "/" where keepingSlashes: break
            default: return (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
            return String(UnicodeScalar(byte))
        }.joined()
    }

    private static func origin(of url: String) -> String? { owned(hub_url_origin(url)) }

    private static func resolved(_ link: String, from url: String) -> String? {
        owned(hub_resolved_url(url, link))
    }

    /// Signatures are secrets too.
    private static func withoutQuery(_ url: String) -> String {
        String(url.prefix { $0 != "?" })
    }

    private static func owned(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}
