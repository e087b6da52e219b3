import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite struct HubEnvironmentTests {
    private struct Answer: Decodable {
        let cache, endpoint: String
        let isOffline: Bool
        let token: String?
    }

    @Test func variablesMeanWhatTheyMeanToThePythonLibrary() throws {
        let scratch = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: scratch.file(".cache/huggingface"), withIntermediateDirectories: true)
        try scratch.write("of the home \n".utf8, to: ".cache/huggingface/token")
        try scratch.write("of a file".utf8, to: "token")
        let variables: [[String: String]] = [
            [:],
            ["HF_HOME": "/a/b"],
            ["HF_HOME": "~/b"],
            ["HF_HOME": "$HOME/c${HOME}/$NONE/${NONE}"],
            ["XDG_CACHE_HOME": "/x"],
            ["XDG_CACHE_HOME": "/x", "HF_HOME": "/y"],
            ["HUGGINGFACE_HUB_CACHE": "/h"],
            ["HUGGINGFACE_HUB_CACHE": "/h", "HF_HUB_CACHE": "~/i/"],
            ["HF_HUB_CACHE": "relative/folder"],
            ["HF_ENDPOINT": "https://mirror.example/path//"],
            ["HF_HUB_OFFLINE": "1"], ["HF_HUB_OFFLINE": "yes"], ["HF_HUB_OFFLINE": "0"],
            ["HF_HUB_OFFLINE": "on", "TRANSFORMERS_OFFLINE": "0"], ["TRANSFORMERS_OFFLINE": "true"],
            ["HF_TOKEN": " hf_a\r\n"], ["HF_TOKEN": "  "], ["HUGGING_FACE_HUB_TOKEN": "hf_b"],
            ["HF_TOKEN": "hf_c", "HF_TOKEN_PATH": scratch.file("token")],
            ["HF_TOKEN_PATH": "~/token"], ["HF_TOKEN_PATH": "/nowhere/token"],
        ].map { $0.merging(["HOME": scratch.path]) { _, home in home } }
        let json = String(decoding: try JSONEncoder().encode(variables), as: UTF8.self)
        let answers = try PythonReference("reference.py").run(
            "read_environments", json, answer: [Answer].self)
        for (variables, answer) in zip(variables, answers) {
            let environment = HubEnvironment(variables)
            #expect(environment.cacheFolder == answer.cache, "\(variables)")
            #expect(environment.endpoint == answer.endpoint, "\(variables)")
            #expect(environment.isOffline == answer.isOffline, "\(variables)")
            #expect(environment.token?.text == answer.token?.filter { $0 != " " }, "\(variables)")
        }
        #expect(answers.count == variables.count)
    }

    @Test func aFolderInCodeBeatsTheVariables() {
        let environment = HubEnvironment(["HF_HUB_CACHE": "/a", "HOME": "/h"], cacheFolder: "~/b/")
        #expect(environment.cacheFolder == "/h/b")
    }

    @Test func proxiesAreFoundByEitherSpelling() {
        let both = HubEnvironment(["HTTPS_PROXY": "p:1", "http_proxy": "q:2", "NO_PROXY": "a,b"])
        #expect(both.proxies.https == "p:1")
        #expect(both.proxies.http == "q:2")
        #expect(both.proxies.exceptions == "a,b")
        #expect(HubEnvironment(["ALL_PROXY": "r:3"]).proxies.https == "r:3")
        // What a web server makes of a header of whoever asks it.
        let served = HubEnvironment(["HTTP_PROXY": "evil:1", "REQUEST_METHOD": "GET"])
        #expect(served.proxies.http == "")
    }

    @Test func anEndpointThatIsNoAddressIsAnError() {
        for endpoint in ["nonsense", "ftp://example.org", "https://"] {
            #expect(throws: HubError.invalidEndpoint(endpoint == "https://" ? "https:" : endpoint))
            {
                try HubClient(environment: ["HF_ENDPOINT": endpoint, "HF_HUB_CACHE": "/nowhere"])
                    .snapshot(of: "a/b")
            }
        }
    }
}
