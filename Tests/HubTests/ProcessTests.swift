import Files
import Foundation
import TestSupport
import Testing

@testable import Hub

/// What only processes of their own show: many at once, killed ones, ones without rights or room.
@Suite struct ProcessTests {
    private struct Run {
        let status: Int32
        let wasKilled: Bool
        let output, error: String
    }

    /// `hub-fetch-for-tests`, which is built beside the tests.
    private static var fetcher: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("hub-fetch-for-tests").path
    }

    /// A program under way.
    private final class Running {
        private let process = Process()
        private let output: URL
        private let error: URL

        init(_ command: [String], _ server: HubServer, _ environment: [String: String]) throws {
            let name = UUID().uuidString
            output = URL(fileURLWithPath: server.scratch.file(name + ".out"))
            error = URL(fileURLWithPath: server.scratch.file(name + ".err"))
            for file in [output, error] { try Data().write(to: file) }
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = command
            process.environment = server.environment(environment).merging(
                ["PATH": "/usr/bin:/bin"]) { given, _ in given }
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: error)
            try process.run()
        }

        func kill() { Glibc.kill(process.processIdentifier, SIGKILL) }

        func end() throws -> Run {
            process.waitUntilExit()
            return Run(
                status: process.terminationStatus,
                wasKilled: process.terminationReason == .uncaughtSignal,
                output: try String(contentsOf: output, encoding: .utf8)
                    .trimmingCharacters(in: .newlines),
                error: try String(contentsOf: error, encoding: .utf8))
        }
    }

    private func start(
        _ server: HubServer, _ environment: [String: String] = [:], through: [String] = []
    ) throws -> Running {
        try Running(through + [Self.fetcher, "owner/model"], server, environment)
    }

    /// What a shell makes of a command line; `$0` in it is the fetcher.
    private func shell(
        _ line: String, _ server: HubServer, through: [String] = []
    ) throws -> Run {
        try Running(through + ["sh", "-c", line, Self.fetcher], server, [:]).end()
    }

    // MARK: - Many, and killed ones

    @Test func eightAtOnceFetchOneCopy() throws {
        let server = try HubServer(["owner/model": .model(weights: 300_000)])
        try server.set(["rate": 2_000_000])
        let runs = try (0..<8).map { _ in try start(server) }.map { try $0.end() }
        for run in runs {
            #expect(run.status == 0, "\(run.error)")
            #expect(run.output == runs[0].output)
        }
        #expect(try server.rightFiles(runs[0].output) == wholeModel)
        let large = try server.requests().filter { $0.host == "cdn" }.map(\.path)
        #expect(large.count == 3)
        #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
    }

    @Test func killedAtAnyMomentTheNextRunCompletes() throws {
        let server = try HubServer(["owner/model": .model(weights: 300_000)])
        var killed = 0
        for _ in 0..<20 {
            try server.set(["rate": 2_000_000])
            let running = try start(server)
            usleep(.random(in: 0...450_000))
            running.kill()
            if try running.end().wasKilled { killed += 1 }
            try server.set([:])
            let run = try start(server).end()
            #expect(run.status == 0, "\(run.error)")
            #expect(try server.rightFiles(run.output) == wholeModel)
            #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
            try FileManager.default.removeItem(atPath: server.cache)
        }
        // It cannot have been done before: 900 kB at 2 MB/s take as long as the longest wait.
        #expect(killed > 0)
    }

    @Test func whatIsUnderANameIsWholeAtEveryMoment() throws {
        let server = try HubServer(["owner/model": .model(weights: 300_000)])
        try server.set(["rate": 3_000_000])
        let running = try start(server)
        for _ in 0..<40 {
            for name in server.blobs() where !name.hasSuffix(".incomplete") {
                var hash = SHA256()
                let path = "\(server.cache)/models--owner--model/blobs/\(name)"
                try bytes(ofFile: path).withUnsafeBytes { hash.add($0) }
                #expect(!SHA256.isDigest(name) || hash.hexDigest == name)
            }
            usleep(10_000)
        }
        #expect(try running.end().status == 0)
    }

    // MARK: - Without rights

    /// Words to put before a command so that folders without the right to write are closed to it:
    /// to the superuser they never are. Nil where that cannot be done.
    private func withoutRights() throws -> [String]? {
        guard geteuid() == 0 else { return [] }
        let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        let probe = Process()
        probe.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        probe.arguments = words + [Self.fetcher]
        probe.standardError = FileHandle.nullDevice
        try probe.run()
        probe.waitUntilExit()
        // It wants an argument.
        return probe.terminationStatus == 2 ? words : nil
    }

    private func setRights(_ rights: String, _ server: HubServer) throws {
        #expect(try shell("chmod -R \(rights) '\(server.cache)'", server).status == 0)
    }

    @Test func aReadOnlyCacheServesIfItHasAll() throws {
        guard let through = try withoutRights() else { return }
        let server = try HubServer()
        let folder = try server.client().snapshot(of: "owner/model")
        try setRights("a-w,a+rX", server)
        defer { try? setRights("u+w", server) }
        let run = try start(server, through: through).end()
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output == folder)
    }

    @Test func aReadOnlyCacheThatLacksSomethingIsAnError() throws {
        guard let through = try withoutRights() else { return }
        let server = try HubServer()
        _ = try server.client().snapshot(of: "owner/model", parts: .autoencoder)
        try setRights("a-w,a+rX", server)
        defer { try? setRights("u+w", server) }
        let run = try start(server, through: through).end()
        #expect(run.status == 1)
        #expect(run.error.contains("Permission denied"))
        #expect(run.error.contains("HF_HUB_CACHE"))
    }

    // MARK: - Without room

    @Test func aDiskThatIsTooSmallIsAnErrorBeforeAnythingIsFetched() throws {
        let server = try HubServer()
        try server.set(["size": 4_000_000_000_000_000_000])
        let error = #expect(throws: HubError.self) {
            try server.client().snapshot(of: "owner/model")
        }
        let text = "\(try #require(error))"
        #expect(text.contains("Not enough room in \(server.cache)"))
        // Of three files.
        #expect(text.contains("9.2 EB are needed"))
        #expect(!(try server.requests().contains { $0.host == "cdn" }))
    }

    /// A limit on the size of files stands for the disk: the same failure of the same call.
    @Test func aDiskThatFillsUpIsAnError() throws {
        let server = try HubServer(["owner/model": .model(weights: 300_000)])
        let run = try shell("ulimit -f 100; exec \"$0\" owner/model", server)
        #expect(run.status == 1)
        #expect(run.error.contains("Not enough room"), "\(run.error)")
        #expect(run.error.contains("300.0 kB are needed"), "\(run.error)")
        #expect(server.blobs().allSatisfy { !$0.hasSuffix(".incomplete") })
        let folder = try server.client().snapshot(of: "owner/model")
        #expect(try server.rightFiles(folder) == wholeModel)
    }

    /// A real disk of 500 kB, where the system lets one be made.
    @Test func aSmallDiskIsAnErrorAtOnceOrWhenItIsFull() throws {
        let server = try HubServer(["owner/model": .model(weights: 300_000)])
        let cache = server.cache
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let disk = "mount -t tmpfs -o size=500k none '\(cache)'"
        let through = ["unshare", "-rm"]
        guard try shell(disk, server, through: through).status == 0 else { return }
        let line = """
            \(disk) && "$0" owner/model; find '\(cache)' -name '*.incomplete' | wc -l
            """
        let early = try shell(line, server, through: through)
        #expect(early.error.contains("Not enough room"), "\(early.error)")
        #expect(early.error.contains("kB are needed"), "\(early.error)")
        try server.set(["size": nil])
        let late = try shell(line, server, through: through)
        #expect(late.error.contains("Not enough room"), "\(late.error)")
        #expect(late.output == "0")
    }
}
