import Files

/// The pictures of a study: those under a folder, or those of a list.
public enum PictureListing {
    /// The files under a folder that a suffix tells to be pictures, in natural order (9 before 10),
    /// each called by its path below the folder without the suffix. Hidden files and folders are passed
    /// over.
    ///
    /// - Parameters:
    ///   - folder: looked through with all folders in it.
    ///   - suffixes: in lower case, with their dots; files' own may be in upper case.
    /// - Throws: `StudyError.invalidArgument` if there is no such folder, no picture in it, or two of them
    ///   get one name.
    public static func pictures(under folder: String, suffixes: [String]) throws -> [StudyPicture] {
        let found: [String]
        do {
            found = try FolderContents.files(under: folder, suffixes: Set(suffixes))
        } catch let error as ReadError {
            throw StudyError.invalidArgument(
                name: "images",
                reason: "\(error.path): cannot be read as a folder: \(error.reason).")
        }
        guard !found.isEmpty else {
            throw StudyError.invalidArgument(
                name: "images",
                reason:
                    "no picture under \(folder); looked for \(suffixes.joined(separator: ", ")).")
        }
        let pictures = found.map {
            StudyPicture(name: withoutSuffix($0), path: "\(folder)/\($0)")
        }
        try check(pictures)
        return pictures
    }

    /// The pictures of a list, in its order.
    ///
    /// - Parameters:
    ///   - paths: of the files.
    ///   - names: one for each; the files' own names without folder and suffix unless given.
    /// - Throws: `StudyError.invalidArgument` as `check`, or for another number of names.
    public static func pictures(_ paths: [String], names: [String]? = nil) throws -> [StudyPicture]
    {
        if let names, names.count != paths.count {
            throw StudyError.invalidArgument(
                name: "names", reason: "there are \(names.count) for \(paths.count) pictures.")
        }
        let pictures = paths.enumerated().map { index, path in
            StudyPicture(
                name: names.map { $0[index] }
                    ?? withoutSuffix(String(path.split(separator: "/").last ?? "")),
                path: path)
        }
        try check(pictures)
        return pictures
    }

    /// - Throws: `StudyError.invalidArgument` if there is no picture, two have one name, or a name cannot
    ///   be a file's in the study's folder.
    static func check(_ pictures: [StudyPicture]) throws {
        guard !pictures.isEmpty else {
            throw StudyError.invalidArgument(name: "images", reason: "there is none.")
        }
        var paths: [String: String] = [:]
        for picture in pictures {
            try check(name: picture.name, of: picture.path)
            if let other = paths.updateValue(picture.path, forKey: picture.name) {
                throw StudyError.invalidArgument(
                    name: "names",
                    reason: """
                        \(other) and \(picture.path) would both be called "\(picture.name)". Give each picture a \
                        name of its own.
                        """)
            }
        }
    }

    private static func check(name: String, of path: String) throws {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        // With room for a suffix in the 255 bytes that file systems have for a name.
        let isGood = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 240
                && !part.utf8.contains(0)
        }
        guard isGood else {
            throw StudyError.invalidArgument(
                name: "names",
                reason: """
                    \(name.debugDescription), for \(path), cannot be a file's name below the study's folder. Take \
                    one of 1 to 240 bytes without "..", or such names with "/" between.
                    """)
        }
    }

    private static func withoutSuffix(_ path: String) -> String {
        guard let dot = path.lastIndex(of: "."), dot != path.startIndex,
            path[path.index(before: dot)] != "/", !path[dot...].contains("/")
        else { return path }
        return String(path[..<dot])
    }
}
