import Foundation
import TestSupport
import Testing

@testable import Hub

/// The cache that the huggingface_hub library and this share.
@Suite struct SharedCacheTests {
    private let reference = PythonReference("reference.py")
    private let patterns = [
        "model_index.json", "*/config.json", "scheduler/*", "tokenizer/*",
        "*/model.safetensors", "*/diffusion_pytorch_model.safetensors",
    ]

    private func lock(of etag: String, _ server: HubServer) throws -> String {
        HubCache(folder: server.cache, id: try ModelID("owner/model")).lock(of: etag)
    }

    @Test func whatThePythonLibraryIsFetchingIsWaitedFor() throws {
        let server = try HubServer()
        let vae = "vae/diffusion_pytorch_model.safetensors"
        let etag = try #require(server.models["owner/model"]?.etags[vae])
        let holder = Process()
        let input = Pipe()
        let output = Pipe()
        holder.executableURL = try PythonReference.interpreter()
        holder.arguments = [
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("reference.py").path,
            "hold_lock", try lock(of: etag, server),
        ]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        // Also where nothing waits for it.
        defer { try? input.fileHandleForWriting.close() }
        _ = output.fileHandleForReading.availableData

        var waits = 0
        let folder = try server.client().snapshot(of: "owner/model") { progress in
            guard case .waiting(_, let reason) = progress else { return }
            #expect(reason.contains(vae))
            #expect(!server.blobs().contains { $0.hasPrefix(etag) })
            waits += 1
            if waits == 3 { try input.fileHandleForWriting.close() }
        }
        #expect(waits >= 3)
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    @Test func thePythonLibraryFindsWhatThisFetched() throws {
        struct Found: Decodable {
            let folder: String
            let files: [String]
        }
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        let before = try server.requests().count
        let arguments =
            ["find", server.endpoint, server.cache, "owner/model", server.commit()] + wholeModel
        let found = try JSONDecoder().decode(Found.self, from: reference.run(arguments))
        #expect(found.folder == folder)
        #expect(found.files == wholeModel.map { "\(folder)/\($0)" })
        #expect(try server.requests().count == before)
    }

    @Test func thisFindsWhatThePythonLibraryFetched() throws {
        let server = try HubServer()
        let arguments = ["fetch", server.endpoint, server.cache, "owner/model"] + patterns
        let folder = try JSONDecoder().decode(String.self, from: reference.run(arguments))
        let before = try server.requests().count
        #expect(
            try server.client().snapshot(of: "owner/model", revision: server.commit()) == folder)
        #expect(try server.client(["HF_HUB_OFFLINE": "1"]).snapshot(of: "owner/model") == folder)
        #expect(try server.requests().count == before)
        // The locks are the same ones.
        let etag = try #require(server.models["owner/model"]?.etags["vae/config.json"])
        #expect(FileManager.default.fileExists(atPath: try lock(of: etag, server)))
        // Online and for a branch: only whether it has moved.
        #expect(try server.client().snapshot(of: "owner/model") == folder)
        #expect(try server.requests().count == before + 1)
        // Its list of all files tells that one is missing, which by itself nothing would.
        try FileManager.default.removeItem(atPath: "\(folder)/tokenizer/special_tokens_map.json")
        #expect(throws: HubError.self) {
            try server.client(["HF_HUB_OFFLINE": "1"]).snapshot(of: "owner/model")
        }
    }

    @Test func eitherGoesOnWhereTheOtherStopped() throws {
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model", parts: .autoencoder)
        let arguments = ["fetch", server.endpoint, server.cache, "owner/model"] + patterns
        #expect(try JSONDecoder().decode(String.self, from: reference.run(arguments)) == folder)
        _ = try server.client().snapshot(of: "owner/model", variant: "fp16")
        let half = "unet/diffusion_pytorch_model.fp16.safetensors"
        #expect(try server.rightFiles(folder).contains(half))
        // Nothing large came twice.
        let large = try server.requests().filter { $0.host == "cdn" }.map(\.path)
        #expect(Set(large).count == large.count)
    }

    @Test func thePythonLibraryHasNothingToComplainOf() throws {
        struct Report: Decodable {
            let warnings, repositories: [String]
            let files: Int
        }
        struct Stop: Error {}
        let server = try HubServer(["owner/model": .model(weights: 1_000_000)])
        _ = try server.client().snapshot(of: "owner/model", parts: .autoencoder)
        // With something unfinished.
        try server.set(["rate": 2_000_000])
        #expect(throws: Stop.self) {
            try server.client().snapshot(of: "owner/model") { progress in
                if case .receiving(let transfer) = progress, transfer.receivedBytes > 100_000 {
                    throw Stop()
                }
            }
        }
        let report = try reference.run("scan", server.cache, answer: Report.self)
        #expect(report.warnings == [])
        #expect(report.repositories == ["owner/model"])
        #expect(report.files >= 3)
    }
}
