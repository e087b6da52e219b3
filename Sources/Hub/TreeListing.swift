import FoundationEssentials

/// `trees/<commit>.json`, in which the huggingface_hub library notes all files of a commit.
///
/// Read only: that library takes it as a promise that a snapshot holds every file of the model, and
/// a snapshot from here never does.
struct TreeListing {
    let files: [String]

    private struct Contents: Decodable {
        struct Entry: Decodable {}
        let format_version: Int
        let files: [String: Entry]
    }

    init(contentsOf path: String) throws {
        let bytes = try FileSystem.contents(of: path, limit: 100 << 20)
        let contents = try JSONDecoder().decode(Contents.self, from: Data(bytes))
        guard contents.format_version == 1 else {
            throw HubError.cannotRead(path: path, reason: "its version is unknown")
        }
        files = contents.files.keys.sorted()
    }
}
