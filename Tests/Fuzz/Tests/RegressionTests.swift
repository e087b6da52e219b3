import Foundation
import Testing

/// Files that once did harm, and the ones that fuzzing starts from: none may do any.
@Suite(.serialized) struct RegressionTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyKeptFileEndsInAValueOrATypedError(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for kind in ["seeds", "regressions"] {
            let folder = Self.folder.appendingPathComponent("\(kind)/\(name)")
            let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(kind == "regressions" || files?.isEmpty == false, "\(folder.path) is empty")
            for file in (files ?? []).sorted() {
                let bytes = try Data(contentsOf: folder.appendingPathComponent(file))
                let fault = bytes.withUnsafeBytes { target.fault(on: $0) }
                #expect(fault == nil, "\(kind)/\(name)/\(file)")
            }
        }
    }
}
