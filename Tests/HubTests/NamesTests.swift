import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite struct NamesTests {
    @Test func idsAreValidWhereThePythonLibraryTakesThem() throws {
        let ids = [
            "gpt2", "owner/name", "stable-diffusion-v1-5/stable-diffusion-v1-5", "a.b/c_d-e", "A/B",
            "_a/_b", "../x", "x/..", "./x", "/x", "x/", "", "a/b/c", "a b/c", "owner/na me",
            "a--b/c",
            "a..b/c", "owner/name.git", "-a/b", "a/b-", ".a/b", "a/b.", "caf\u{e9}/x", "a\\b/c",
            "a/b\0", "a/b\n", String(repeating: "x", count: 96), String(repeating: "x", count: 97),
            "https://huggingface.co/a/b", "a/b?c", "a/b%2e",
        ]
        let json = String(decoding: try JSONEncoder().encode(ids), as: UTF8.self)
        let expected = try PythonReference("reference.py").run(
            "check_ids", json, answer: [Bool].self)
        for (id, isValid) in zip(ids, expected) {
            #expect(((try? ModelID(id)) != nil) == isValid, "\(id.debugDescription)")
        }
    }

    @Test func anInvalidIDSaysWhatIsWrong() throws {
        let error = #expect(throws: HubError.self) { try ModelID("a/b/c") }
        #expect("\(try #require(error))".contains("more than one slash"))
        #expect(throws: HubError.self) { try HubClient(environment: [:]).snapshot(of: "../x") }
    }

    @Test(arguments: [
        "", "..", "a/../b", "/a", "a/", "a//b", "a b", "a\\b", "a\0", "-a", "a..b", "a:b", "a~1",
    ])
    func revisionsThatGitWouldNotHaveAreRefused(_ text: String) {
        #expect(throws: HubError.invalidRevision(text)) { try Revision(text) }
    }

    @Test(arguments: ["main", "v1.0", "refs/pr/1", "feature/x", String(repeating: "a", count: 40)])
    func revisionsAreTaken(_ text: String) throws {
        #expect(try Revision(text).isCommit == (text.count == 40))
    }

    @Test(arguments: [
        "../x", "a/../../x", "/etc/passwd", "a\\b", "", "a//b", "a/", "./a", "a/.", "a\0b", "a\nb",
        "..", ".",
    ])
    func pathsThatLeaveTheFolderAreRefused(_ path: String) {
        #expect(!PlainName.isRelativePath(path))
    }

    @Test func ordinaryPathsAreTaken() {
        for path in ["a", "a/b.c", "..a/b..", "a b/c", "\u{e9}"] {
            #expect(PlainName.isRelativePath(path))
        }
    }

    @Test func addressesAreEscaped() {
        #expect(HubEndpoint.escaped("a b/\u{e9}#", keepingSlashes: true) == "a%20b/%C3%A9%23")
        #expect(HubEndpoint.escaped("refs/pr/1", keepingSlashes: false) == "refs%2Fpr%2F1")
    }

    @Test func sizesAreReadable() {
        #expect(HubError.size(999) == "999 bytes")
        #expect(HubError.size(4_265_380_512) == "4.3 GB")
        #expect(HubError.size(.max) == "9.2 EB")
    }
}
