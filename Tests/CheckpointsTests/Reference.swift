import Foundation
import TestSupport
import Torch

@testable import Checkpoints

/// What the reference says of a tensor.
struct TensorFacts: Decodable {
    let shape: [Int]
    let strides: [Int]
    let dtype: String
    /// The elements in row-major order, as stored.
    let bytes: Data
    /// The same after `.float()`.
    let float32: Data
    /// Whether it is contiguous, on the CPU, without gradient and of no special class.
    let isPlain: Bool
}

/// Whether the reference takes a file that was cut or changed.
struct Verdicts: Decodable {
    /// For each length from 0 to the whole.
    let cut: [Bool]
    /// For each byte that was changed.
    let flipped: [Bool]
}

enum Reference {
    static var script: PythonReference { PythonReference("reference.py") }

    /// Sound files, by name with what the reference reads from them.
    struct Fixtures {
        let folder: TemporaryFolder
        let facts: [String: [String: TensorFacts]]
    }

    /// Made once for all tests: importing torch takes seconds.
    private static let madeFixtures = Result {
        let folder = try TemporaryFolder()
        return Fixtures(folder: folder, facts: try script.run("fixtures", folder.path))
    }

    private static let madeHostileFiles = Result {
        let folder = try TemporaryFolder()
        let accepted: [String: Bool] = try script.run("hostile", folder.path)
        return (folder: folder, accepted: accepted)
    }

    /// The directory of a zip file. Its bytes are gone: only names and places may be looked at.
    static func archive(atPath path: String) throws -> ZipArchive {
        try MappedFile(path: path).withBytes { try ZipArchive(of: $0, path: path) }
    }

    static var fixtures: Fixtures {
        get throws { try madeFixtures.get() }
    }

    /// Archives with hostile pickles, and whether `torch.load(weights_only=True)` takes each.
    static var hostileFiles: (folder: TemporaryFolder, accepted: [String: Bool]) {
        get throws { try madeHostileFiles.get() }
    }
}

extension Tensor {
    /// The elements in row-major order, as bytes.
    var contents: Data {
        get throws { try contiguous().withUnsafeBytes { Data($0) } }
    }
}
