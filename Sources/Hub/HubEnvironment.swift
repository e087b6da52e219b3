import FoundationEssentials

/// What the environment says about the hub, after the rules of the huggingface_hub library, which
/// shares the cache.
struct HubEnvironment: Sendable {
    /// Where snapshots are kept, an absolute path.
    let cacheFolder: String
    /// Without a slash at the end.
    let endpoint: String
    let isOffline: Bool
    let token: Token?
    let proxies: Proxies
    /// Certificates to trust in place of the system's.
    let certificateFile: String?
    let certificateFolder: String?
    /// Seconds until a connection must stand, and until one without a byte counts as dead.
    let connectTimeout: Int
    let stallTimeout: Int

    struct Token: Sendable {
        let text: String
        /// "HF_TOKEN", or the path of a file.
        let source: String
    }

    struct Proxies: Sendable {
        let http, https, exceptions: String
    }

    /// - Parameter cacheFolder: in place of what `variables` say.
    init(_ variables: [String: String], cacheFolder explicit: String? = nil) {
        // An empty variable is as good as none.
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
        }
        func isTrue(_ name: String) -> Bool {
            ["1", "ON", "YES", "TRUE"].contains(variables[name]?.uppercased() ?? "")
        }
        func path(_ text: String) -> String { Self.expanded(text, variables) }

        let home = path(
            value("HF_HOME") ?? (value("XDG_CACHE_HOME") ?? "~/.cache") + "/huggingface")
        cacheFolder = Self.absolute(
            path(explicit ?? value("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? home + "/hub"))

        var endpoint = value("HF_ENDPOINT") ?? "https://huggingface.co"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        self.endpoint = endpoint
        isOffline = isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE")

        token =
            isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")
            ? nil
            : Self.token(
                value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
                file: path(value("HF_TOKEN_PATH") ?? home + "/token"))

        // HTTP_PROXY in capitals is what a web server makes of a "Proxy" header of whoever asks it.
        let plainProxy = value("http_proxy", variables["REQUEST_METHOD"] == nil ? "HTTP_PROXY" : "")
        let everyProxy = value("all_proxy", "ALL_PROXY")
        proxies = Proxies(
            http: plainProxy ?? everyProxy ?? "",
            https: value("https_proxy", "HTTPS_PROXY") ?? everyProxy ?? "",
            exceptions: value("no_proxy", "NO_PROXY") ?? "")
        certificateFile = value("SSL_CERT_FILE")
        certificateFolder = value("SSL_CERT_DIR")

        func seconds(_ name: String, default usual: Int) -> Int {
            variables[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? usual
        }
        connectTimeout = seconds("HF_HUB_ETAG_TIMEOUT", default: 10)
        stallTimeout = seconds("HF_HUB_DOWNLOAD_TIMEOUT", default: 30)
    }

    private static func token(_ text: String?, file: String) -> Token? {
        func cleaned(_ text: String) -> String? {
            // Line ends would add headers to the request.
            let characters = text.unicodeScalars.filter { $0.value > 0x20 && $0.value < 0x7f }
            return characters.isEmpty ? nil : String(String.UnicodeScalarView(characters))
        }
        if let token = text.flatMap(cleaned) { return Token(text: token, source: "HF_TOKEN") }
        guard let data = FileManager.default.contents(atPath: file), data.count < 10_000,
            let token = cleaned(String(decoding: data, as: UTF8.self))
        else { return nil }
        return Token(text: token, source: file)
    }

    // MARK: - Paths

    /// A path with `~` and `$NAME` or `${NAME}` replaced; unknown names stay.
    private static func expanded(_ path: String, _ variables: [String: String]) -> String {
        var result = ""
        var rest = Substring(path)
        if rest == "~" || rest.hasPrefix("~/") {
            result = variables["HOME"] ?? homeOfUser
            rest = rest.dropFirst()
        }
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            let isBraced = rest.first == "{"
            let name = rest.dropFirst(isBraced ? 1 : 0).prefix {
                $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber))
            }
            let after = rest[name.endIndex...]
            if let value = variables[String(name)], !isBraced || after.first == "}" {
                result += value
                rest = after.dropFirst(isBraced ? 1 : 0)
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    /// The home folder where HOME does not tell.
    private static var homeOfUser: String {
        FileManager.default.homeDirectoryForCurrentUser.path
    }

    private static func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
