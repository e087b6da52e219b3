import Glibc

/// The order in which libtorch is looked for.
///
/// 1. the one that the process already holds (a Python that imported torch);
/// 2. `LIBTORCH`, a folder with `libtorch_cpu.so` in it or in its `lib`;
/// 3. the torch package of the Python in use;
/// 4. the usual library folders.
///
/// A libtorch that was named on purpose (by `LIBTORCH`) and does not open ends the search: silently
/// taking another one would surprise more than an error.
struct LibTorchSearch {
    /// A place to look at. `folder` is nil for the process itself.
    struct Place {
        let description: String
        let folder: String?
        var namedOnPurpose = false
    }

    enum Outcome<Library> {
        case opened(Library)
        case tooOld(missing: String)
        case notOpened(String)
    }

    let pythonFolder: String?

    func run<Library>(open: (Place) -> Outcome<Library>) throws -> Library {
        var attempts: [String] = []
        for find in [inProcess, inEnvironment, inPython, inSystem] {
            for place in find() {
                if let folder = place.folder, !Self.holdsLibTorch(folder) {
                    attempts.append("\(place.description): no libtorch_cpu.so there")
                    if place.namedOnPurpose { throw TorchError.libraryNotFound(attempts: attempts) }
                    continue
                }
                switch open(place) {
                case .opened(let library):
                    return library
                case .tooOld(let missing):
                    throw TorchError.libraryTooOld(folder: place.description, missing: missing)
                case .notOpened(let text):
                    attempts.append("\(place.description): \(text)")
                    if place.namedOnPurpose { throw TorchError.libraryNotFound(attempts: attempts) }
                }
            }
        }
        throw TorchError.libraryNotFound(attempts: attempts)
    }

    // MARK: - The places

    private func inProcess() -> [Place] {
        [Place(description: "this process", folder: nil)]
    }

    private func inEnvironment() -> [Place] {
        guard let root = Self.environment("LIBTORCH") else { return [] }
        let folder = [root, "\(root)/lib"].first(where: Self.holdsLibTorch) ?? root
        return [Place(description: "LIBTORCH=\(root)", folder: folder, namedOnPurpose: true)]
    }

    private func inPython() -> [Place] {
        if let pythonFolder {
            return [Place(description: pythonFolder, folder: pythonFolder)]
        }
        let python = Self.environment("VIRTUAL_ENV").map { "\($0)/bin/python3" } ?? "python3"
        guard let folder = Self.torchFolder(ofPython: python) else {
            return []
        }
        return [Place(description: folder, folder: folder)]
    }

    private func inSystem() -> [Place] {
        [
            "/usr/local/lib", "/usr/local/libtorch/lib", "/opt/libtorch/lib", "/usr/lib",
            "/usr/lib64",
        ]
        .map { Place(description: $0, folder: $0) }
    }

    // MARK: - Looking

    private static func holdsLibTorch(_ folder: String) -> Bool {
        access("\(folder)/libtorch_cpu.so", R_OK) == 0
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// Asks a Python where its torch package is, without importing torch (which takes a second).
    private static func torchFolder(ofPython python: String) -> String? {
        let script = """
            import importlib.util, os
            found = importlib.util.find_spec("torch")
            print(os.path.join(os.path.dirname(found.origin), "lib") if found and found.origin else "")
            """
        let quoted = [python, "-c", script].map {
            "'\($0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
        }
        guard let pipe = popen("\(quoted.joined(separator: " ")) 2>/dev/null", "r") else {
            return nil
        }
        defer { pclose(pipe) }
        var line = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = fread(&line, 1, line.count, pipe)
        let folder = String(
            decoding: line.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return folder.isEmpty ? nil : folder
    }
}
