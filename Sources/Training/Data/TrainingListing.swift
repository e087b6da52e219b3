import Files
import FoundationEssentials

/// The pictures of a folder, with what they show.
public enum TrainingListing {
    /// Where captions come from.
    public enum Captions: String, Codable, CaseIterable, Sendable {
        /// Nowhere.
        case none
        /// The folder's metadata.jsonl, as Hugging Face's datasets have it: a line
        /// `{"file_name": "one.png", "text": "what it shows"}` for each picture.
        case metadata
        /// The files' names: `a-red_circle-12.png` shows "a red circle".
        case names
    }

    /// The file that `Captions.metadata` reads, in the folder of the pictures.
    public static let metadataName = "metadata.jsonl"

    /// The files under a folder that a suffix tells to be pictures, in natural order (9 before 10). Hidden
    /// files and folders are passed over.
    ///
    /// - Parameters:
    ///   - folder: looked through with all folders in it.
    ///   - captions: where captions come from.
    ///   - suffixes: in lower case, with their dots; files' own may be in upper case.
    /// - Throws: `TrainingError.invalidArgument` if there is no such folder, no picture in it, a picture
    ///   without a caption, or a caption without its picture.
    public static func pictures(
        under folder: String, captions: Captions = .none,
        suffixes: Set<String> = [".png", ".jpg", ".jpeg"]
    ) throws -> [TrainingPicture] {
        let names: [String]
        do {
            names = try FolderContents.files(under: folder, suffixes: suffixes)
        } catch let error as ReadError {
            throw TrainingError.invalidArgument(
                name: "pictures",
                reason: "\(error.path): cannot be read as a folder: \(error.reason).")
        }
        guard !names.isEmpty else {
            throw TrainingError.invalidArgument(
                name: "pictures",
                reason: """
                    no picture under \(folder); looked for \(suffixes.sorted().joined(separator: ", ")).
                    """)
        }
        let texts =
            switch captions {
            case .none: [String: String]()
            case .metadata: try metadata(in: folder, of: names)
            case .names: Dictionary(uniqueKeysWithValues: names.map { ($0, caption(ofFile: $0)) })
            }
        return names.map {
            TrainingPicture(path: "\(folder)/\($0)", name: $0, caption: texts[$0])
        }
    }

    /// What a file's name says: words between "-", "_" and spaces, without a number at the end.
    static func caption(ofFile name: String) -> String {
        let file = name.split(separator: "/").last ?? ""
        let stem = file.split(separator: ".").dropLast().joined(separator: ".")
        var words = stem.split { "-_ ".contains($0) }
        if let last = words.last, last.allSatisfy(\.isWholeNumber) { words.removeLast() }
        return words.joined(separator: " ")
    }

    // MARK: - metadata.jsonl

    private struct Row: Decodable {
        let fileName: String
        let text: String

        enum CodingKeys: String, CodingKey {
            case fileName = "file_name"
            case text
        }
    }

    /// The captions of files by their names, of each of `names` and of no others.
    private static func metadata(in folder: String, of names: [String]) throws -> [String: String] {
        let path = "\(folder)/\(metadataName)"
        func wrong(_ reason: String) -> TrainingError {
            .invalidArgument(name: "captions", reason: reason)
        }
        let bytes: [UInt8]
        do {
            bytes = try FileBytes.of(path)
        } catch let error as ReadError {
            throw wrong(
                """
                \(error). It should have a line {"file_name": "\(names[0])", "text": "what it shows"} for each \
                picture.
                """)
        }
        var texts: [String: String] = [:]
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let files = Set(names)
        for (number, line) in lines.enumerated()
        where !line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) {
            guard let row = try? JSONDecoder().decode(Row.self, from: Data(line)) else {
                throw wrong(
                    """
                    line \(number + 1) of \(path) is not as it should be: {"file_name": "\(names[0])", \
                    "text": "what it shows"}.
                    """)
            }
            guard files.contains(row.fileName) else {
                throw wrong(
                    """
                    line \(number + 1) of \(path) is about \(row.fileName), but there is no such picture in \
                    \(folder).
                    """)
            }
            guard texts.updateValue(row.text, forKey: row.fileName) == nil else {
                throw wrong(
                    "line \(number + 1) of \(path) is the second one about \(row.fileName).")
            }
        }
        if let bare = names.first(where: { texts[$0] == nil }) {
            let others = names.count - texts.count - 1
            throw wrong(
                """
                \(folder)/\(bare)\(others > 0 ? " and \(others) others have" : " has") no caption: \(path) has no \
                line about it. Add one, or take the picture out of the folder.
                """)
        }
        return texts
    }
}
