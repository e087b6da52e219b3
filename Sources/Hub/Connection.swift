import CHub
import Glibc

/// HTTP requests, one after another, as `hub_transfer.h` makes them.
final class Connection {
    struct Answer {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]

        var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
    }

    private let handle: OpaquePointer
    private let environment: HubEnvironment

    init(_ environment: HubEnvironment) throws {
        guard let handle = hub_connection_create() else {
            throw HubError.network(url: environment.endpoint, reason: "libcurl does not start")
        }
        self.handle = handle
        self.environment = environment
    }

    deinit { hub_connection_free(handle) }

    /// Sends one request and hears the answer out. Redirects are answers as any other.
    ///
    /// - Parameters:
    ///   - onBody: takes the body piece by piece, with the status and headers that came before.
    ///   - onTick: called at least once a second; may throw to give up.
    /// - Throws: `HubError.network`, `.badAnswer`, or what the closures throw.
    func request(
        _ url: String, headersOnly: Bool = false, headers: [String],
        onBody: (Answer, UnsafeRawBufferPointer) throws -> Void = { _, _ in },
        onTick: () throws -> Void
    ) throws -> Answer {
        try withoutActuallyEscaping(onBody) { onBody in
            try withoutActuallyEscaping(onTick) { onTick in
                let exchange = Exchange(onBody: onBody, onTick: onTick)
                var message = [CChar](repeating: 0, count: Int(HUB_MESSAGE_SIZE))
                let outcome = perform(
                    url, headersOnly: headersOnly, headers: headers, exchange, &message)
                let reason = message.withUnsafeBufferPointer { text in
                    String(
                        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                        as: UTF8.self)
                }
                switch outcome {
                case HUB_DONE: return exchange.answer
                case HUB_STOPPED: throw exchange.error ?? HubError.network(url: url, reason: reason)
                case HUB_FAILED: throw HubError.network(url: url, reason: reason)
                default: throw HubError.badAnswer(url: url, reason: reason + ".")
                }
            }
        }
    }

    private func perform(
        _ url: String, headersOnly: Bool, headers: [String], _ exchange: Exchange,
        _ message: inout [CChar]
    ) -> HubOutcome {
        let texts = headers.map { strdup($0) }
        defer { for text in texts { free(text) } }
        let proxies = environment.proxies
        let proxy = url.lowercased().hasPrefix("https:") ? proxies.https : proxies.http
        return texts.compactMap { UnsafePointer($0) }.withUnsafeBufferPointer { lines in
            url.withCString { url in
                proxy.withCString { proxy in
                    proxies.exceptions.withCString { exceptions in
                        withOptional(environment.certificateFile) { file in
                            withOptional(environment.certificateFolder) { folder in
                                var request = HubRequest(
                                    url: url, headers_only: headersOnly, headers: lines.baseAddress,
                                    header_count: lines.count, proxy: proxy, no_proxy: exceptions,
                                    certificate_file: file, certificate_folder: folder,
                                    connect_timeout: environment.connectTimeout,
                                    stall_timeout: environment.stallTimeout,
                                    context: Unmanaged.passUnretained(exchange).toOpaque(),
                                    on_header: takeHeader, on_body: takeBody, on_tick: tick)
                                return withExtendedLifetime(exchange) {
                                    hub_perform(handle, &request, &message)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

private func withOptional<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}

// What libcurl calls: functions of C, which get the exchange as their context.

private func takeHeader(
    _ context: UnsafeMutableRawPointer?, _ line: UnsafePointer<CChar>, _ count: Int
) -> Bool {
    Exchange.at(context)?.take(header: line, count: count) ?? false
}

private func takeBody(
    _ context: UnsafeMutableRawPointer?, _ bytes: UnsafeRawPointer, _ count: Int
) -> Bool {
    Exchange.at(context)?.take(body: bytes, count: count) ?? false
}

private func tick(_ context: UnsafeMutableRawPointer?) -> Bool {
    Exchange.at(context)?.tick() ?? false
}

/// What is under way. Errors cannot cross libcurl, so they wait here.
private final class Exchange {
    private(set) var answer = Connection.Answer()
    private(set) var error: (any Error)?
    private let onBody: (Connection.Answer, UnsafeRawBufferPointer) throws -> Void
    private let onTick: () throws -> Void
    private var headerSize = 0

    init(
        onBody: @escaping (Connection.Answer, UnsafeRawBufferPointer) throws -> Void,
        onTick: @escaping () throws -> Void
    ) {
        self.onBody = onBody
        self.onTick = onTick
    }

    /// The exchange that `perform` passed as context.
    static func at(_ context: UnsafeMutableRawPointer?) -> Exchange? {
        context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }

    func take(header: UnsafePointer<CChar>, count: Int) -> Bool {
        let bytes = UnsafeRawBufferPointer(start: header, count: count)
        headerSize += count
        guard headerSize <= 1 << 20 else { return false }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // An earlier block was one of "100 Continue".
            let fields = line.split(separator: " ", maxSplits: 2)
            let status = fields.count > 1 ? fields[1].prefix { $0.isNumber } : ""
            answer = Connection.Answer(status: Int(status) ?? 0)
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].unicodeScalars.filter {
                $0.value >= 0x20 && $0.value != 0x7f
            }
            answer.headers[line[..<colon].lowercased()] = trimmed(
                String(String.UnicodeScalarView(value)))
        }
        return true
    }

    func take(body: UnsafeRawPointer, count: Int) -> Bool {
        do {
            try onBody(answer, UnsafeRawBufferPointer(start: body, count: count))
            return true
        } catch {
            self.error = error
            return false
        }
    }

    func tick() -> Bool {
        do {
            try onTick()
            return true
        } catch {
            self.error = error
            return false
        }
    }

    private func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
