import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite struct FetchTests {
    @Test func aModelIsFetchedOnceAndNoMoreThanNeeded() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(folder == "\(server.cache)/models--owner--model/snapshots/\(server.commit())")
        #expect(try server.rightFiles(folder) == wholeModel)
        let reference = "\(server.cache)/models--owner--model/refs/main"
        #expect(try bytes(ofFile: reference) == Array(server.commit().utf8))
        let vae = "vae/diffusion_pytorch_model.safetensors"
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(vae)")
                == "../../../blobs/\(server.models["owner/model"]?.etags[vae] ?? "")")
        let etags = wholeModel.compactMap { server.models["owner/model"]?.etags[$0] }
        #expect(server.blobs() == Set(etags).sorted())

        // Again: one request, to see whether the branch has moved.
        let before = try server.requests().count
        #expect(try server.client().snapshot(of: "owner/model") == folder)
        #expect(try server.requests().count == before + 1)
        // A commit does not move.
        #expect(
            try server.client().snapshot(of: "owner/model", revision: server.commit()) == folder)
        #expect(try server.requests().count == before + 1)
    }

    @Test func partsCanBeChosen() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model", parts: .autoencoder)
        let autoencoder = wholeModel.filter { $0.hasPrefix("vae/") || $0 == "model_index.json" }
        #expect(try server.rightFiles(folder) == autoencoder)
        _ = try server.client().snapshot(of: "owner/model", parts: .wholeModelWithSafetyChecker)
        #expect(
            try server.rightFiles(folder)
                == (wholeModel + [
                    "feature_extractor/preprocessor_config.json", "safety_checker/config.json",
                    "safety_checker/model.safetensors",
                ]).sorted())
    }

    @Test func theVariantIsFetched() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model", variant: "fp16")
        #expect(
            try server.rightFiles(folder)
                == wholeModel.map {
                    $0.replacingOccurrences(of: ".safetensors", with: ".fp16.safetensors")
                }.sorted())
        let error = #expect(throws: HubError.self) {
            try server.client().snapshot(of: "owner/model", variant: "int8")
        }
        #expect("\(try #require(error))".contains("model.fp16.safetensors"))
    }

    @Test func shardsAreFetched() throws {
        let index = "unet/diffusion_pytorch_model.safetensors.index.json"
        let shards = (1...3).map { "unet/diffusion_pytorch_model-0000\($0)-of-00003.safetensors" }
        let map = shards.enumerated().map { "\"t\($0)\": \"\($1.dropFirst(5))\"" }
        let server = try HubServer([
            "owner/model": .model(
                adding: [
                    index: .string("{\"weight_map\": {\(map.joined(separator: ","))}}"),
                    shards[0]: 10_000, shards[1]: 10_001, shards[2]: 10_002,
                ],
                removing: ["unet/diffusion_pytorch_model.safetensors"])
        ])
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(
            try server.rightFiles(folder)
                == (wholeModel.filter { $0 != "unet/diffusion_pytorch_model.safetensors" }
                + shards + [index]).sorted())
    }

    @Test func progressIsToldInBytes() throws {
        let server = try HubServer()
        var last: HubTransfer?
        _ = try server.client().snapshot(of: "owner/model") { progress in
            guard case .receiving(let transfer) = progress else { return }
            #expect(transfer.receivedBytes <= transfer.totalBytes)
            #expect(transfer.receivedBytes >= last?.receivedBytes ?? 0)
            last = transfer
        }
        let end = try #require(last)
        #expect(end.receivedBytes == end.totalBytes)
        #expect(end.totalBytes > 60_000)
        #expect(end.bytesPerSecond > 0)
    }

    @Test func theCallerCanEndAFetchAndGoOnLater() throws {
        struct Stop: Error {}
        let server = try HubServer(["owner/model": .model(weights: 2_000_000)])
        try server.set(["rate": 2_000_000])
        #expect(throws: Stop.self) {
            try server.client().snapshot(of: "owner/model") { progress in
                if case .receiving(let transfer) = progress, transfer.receivedBytes > 500_000 {
                    throw Stop()
                }
            }
        }
        #expect(server.blobs().count { $0.hasSuffix(".incomplete") } == 1)
        try server.set([:])
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
        #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
        #expect(try server.requests().contains { $0.host == "cdn" && $0.range != nil })
    }

    @Test func aMovedBranchIsFollowedAndEqualFilesAreNotFetchedAgain() throws {
        let server = try HubServer([
            "owner/model": .model(), "owner/second": .model(adding: ["README.md": "new"]),
        ])
        _ = try server.client().snapshot(of: "owner/model")
        let storage = "\(server.cache)/models--owner--"
        // The same model as it was before its branch moved.
        try FileManager.default.moveItem(atPath: storage + "model", toPath: storage + "second")
        let before = try server.requests().count
        let folder = try server.client().snapshot(of: "owner/second")
        #expect(folder.hasSuffix(server.commit(of: "owner/second")))
        #expect(try server.rightFiles(folder, of: "owner/second") == wholeModel)
        #expect(!(try server.requests()[before...].contains { $0.host == "cdn" }))
    }

    @Test func tagsWithSlashesAreRevisionsToo() throws {
        let server = try HubServer()
        _ = try server.client().snapshot(of: "owner/model", revision: "v1/beta")
        let reference = "\(server.cache)/models--owner--model/refs/v1/beta"
        #expect(try bytes(ofFile: reference) == Array(server.commit().utf8))
        #expect(throws: HubError.revisionNotFound(id: "owner/model", revision: "v9")) {
            try server.client().snapshot(of: "owner/model", revision: "v9")
        }
    }

    @Test func aLinkThatLeadsNowhereIsMadeAnew() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        let etag = server.models["owner/model"]?.etags["vae/config.json"] ?? ""
        try FileManager.default.removeItem(
            atPath: "\(server.cache)/models--owner--model/blobs/\(etag)")
        _ = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    // MARK: - Offline

    @Test func offlineTakesWhatIsThere() throws {
        let server = try HubServer()
        let offline = server.client(["HF_HUB_OFFLINE": "1"])
        let error = #expect(throws: HubError.self) { try offline.snapshot(of: "owner/model") }
        #expect("\(try #require(error))".contains("HF_HUB_OFFLINE"))
        let folder = try server.client().snapshot(of: "owner/model", parts: .autoencoder)
        let before = try server.requests().count
        #expect(try offline.snapshot(of: "owner/model", parts: .autoencoder) == folder)
        // Half a model is not the model.
        let second = #expect(throws: HubError.self) { try offline.snapshot(of: "owner/model") }
        #expect("\(try #require(second))".contains("scheduler"))
        _ = try server.client().snapshot(of: "owner/model")
        #expect(try offline.snapshot(of: "owner/model") == folder)
        let vae = "\(folder)/vae/diffusion_pytorch_model.safetensors"
        try FileManager.default.removeItem(atPath: vae)
        #expect(throws: HubError.self) { try offline.snapshot(of: "owner/model") }
        #expect(try server.requests().count > before)
    }

    @Test(arguments: [401, 403, 404, 429, 500, 503])
    func whatIsThereServesWhereTheHubDoesNot(_ status: Int) throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        try server.set(["listing": ["status": .int(status)]])
        let before = try server.requests().count
        var reasons: [String] = []
        let again = try server.client().snapshot(of: "owner/model") { progress in
            if case .usingKeptCopy(_, let reason) = progress { reasons.append(reason) }
        }
        #expect(again == folder)
        #expect(reasons.count == 1)
        #expect(try server.requests().count == before + 1)
    }

    @Test func whatIsThereServesWithoutANetwork() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        let nowhere = server.client(["HF_ENDPOINT": "http://127.0.0.1:9"])
        #expect(try nowhere.snapshot(of: "owner/model") == folder)
        let error = #expect(throws: HubError.self) { try nowhere.snapshot(of: "owner/other") }
        #expect("\(try #require(error))".contains("Check the network"))
    }

    // MARK: - Who asks

    @Test func theTokenGoesToTheHubAlone() throws {
        let server = try HubServer(["owner/model": .model(gated: "hf_good")])
        let folder = try server.client(["HF_TOKEN": "hf_good"]).snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
        let requests = try server.requests()
        #expect(requests.contains { $0.host == "cdn" })
        for request in requests {
            #expect(request.token == (request.host == "hub" ? "Bearer hf_good" : nil))
        }
    }

    @Test func theTokenOfTheFileIsUsed() throws {
        let server = try HubServer(["owner/model": .model(isPrivate: "hf_good")])
        try server.scratch.write("hf_good\n".utf8, to: "token")
        _ = try server.client(["HF_TOKEN_PATH": "~/token"]).snapshot(of: "owner/model")
        let without = server.client(["HF_HUB_CACHE": server.scratch.file("other")])
        let expected = HubError.notFound(
            id: "owner/model", endpoint: server.endpoint, hasToken: false)
        #expect(throws: expected) { try without.snapshot(of: "owner/model") }
    }

    @Test func proxiesAreUsedButForExceptions() throws {
        let server = try HubServer()
        let proxied = server.client([
            "HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": server.endpoint,
            "NO_PROXY": "127.0.0.1",
        ])
        _ = try proxied.snapshot(of: "owner/model")
        for request in try server.requests() {
            #expect(request.proxied == (request.host == "hub" ? "hub.invalid" : nil))
        }
    }
}
