import Glibc

/// What is in a folder.
public enum FolderContents {
    public struct Entry {
        public let name: String
        /// Whether it is a folder, by itself or through a link.
        public let isFolder: Bool
    }

    /// The names in a folder in order, without "." and ".."; none if it cannot be read.
    public static func names(in folder: String) -> [String] {
        list(folder) { name, _ in name }?.sorted() ?? []
    }

    /// What is in a folder, in the order of the names, without "." and ".."; nil if it cannot be read,
    /// and `SystemError.words` says why.
    public static func entries(in folder: String) -> [Entry]? {
        list(folder) { name, kind in
            Entry(name: name, isFolder: isFolder(kind) ?? isFolder("\(folder)/\(name)"))
        }?.sorted { $0.name < $1.name }
    }

    /// Regular files under a folder, as paths below it, in order; links to folders are not followed.
    public static func files(under folder: String) -> [String] {
        let all = list(folder) { ($0, $1) } ?? []
        return all.sorted { $0.0 < $1.0 }.flatMap { name, kind -> [String] in
            let path = "\(folder)/\(name)"
            switch Int32(kind) {
            case Int32(DT_DIR): return files(under: path).map { "\(name)/\($0)" }
            case Int32(DT_UNKNOWN) where isFolder(path):
                return files(under: path).map { "\(name)/\($0)" }
            default: return [name]
            }
        }
    }

    /// Files with one of the suffixes under a folder, as paths below it, in natural order (9 before 10);
    /// Links are followed; hidden files and folders are passed over.
    /// - Parameters:
    ///   - folder: looked through with all folders in it.
    ///   - suffixes: in lower case, with their dots; files' own may be in upper case.
    /// - Throws: `ReadError` if a folder cannot be read.
    public static func files(under folder: String, suffixes: Set<String>) throws -> [String] {
        try files(in: folder, below: "", suffixes: suffixes, above: []).sorted {
            NaturalOrder.precedes($0, $1)
        }
    }

    /// - Parameter above: the real paths of the folders that it is in; links may lead back to one.
    private static func files(
        in folder: String, below: String, suffixes: Set<String>, above: [String]
    ) throws -> [String] {
        guard let entries = entries(in: folder), let place = realPath(folder) else {
            throw ReadError.now(folder)
        }
        guard !above.contains(place) else { return [] }
        var found: [String] = []
        for entry in entries where !entry.name.hasPrefix(".") {
            if entry.isFolder {
                found += try files(
                    in: "\(folder)/\(entry.name)", below: "\(below)\(entry.name)/",
                    suffixes: suffixes, above: above + [place])
            } else if let dot = entry.name.lastIndex(of: "."),
                suffixes.contains(entry.name[dot...].lowercased())
            {
                found.append(below + entry.name)
            }
        }
        return found
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func list<Element>(
        _ folder: String, _ element: (String, UInt8) -> Element
    ) -> [Element]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var elements: [Element] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(
                    to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)
                ) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { elements.append(element(name, entry.pointee.d_type)) }
        }
        return elements
    }

    /// Nil where the file system does not tell, and for links.
    private static func isFolder(_ kind: UInt8) -> Bool? {
        switch Int32(kind) {
        case Int32(DT_DIR): true
        case Int32(DT_REG): false
        default: nil
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
