import Foundation
import Testing

@testable import Torch

@Suite struct LibTorchSearchTests {
    private typealias Search = LibTorchSearch

    /// A folder with an empty `libtorch_cpu.so`.
    private func folderWithLibrary() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appendingPathComponent("libtorch_cpu.so"))
        return folder.path
    }

    @Test func theProcessComesFirst() throws {
        let found = try Search(pythonFolder: nil).run { place -> Search.Outcome<String> in
            .opened(place.description)
        }
        #expect(found == "this process")
    }

    @Test func thePythonInUseComesNext() throws {
        let folder = try folderWithLibrary()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let found = try Search(pythonFolder: folder).run { place -> Search.Outcome<String> in
            place.folder == nil ? .notOpened("none") : .opened(place.description)
        }
        #expect(found == folder)
    }

    @Test func anOldLibraryIsNamed() throws {
        let folder = try folderWithLibrary()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: TorchError.self) {
            try Search(pythonFolder: folder).run { place -> Search.Outcome<Int> in
                place.folder == nil ? .notOpened("none") : .tooOld(missing: "torch_call_dispatcher")
            }
        }
        #expect(error == .libraryTooOld(folder: folder, missing: "torch_call_dispatcher"))
    }

    @Test func whatWasTriedIsTold() throws {
        let error = #expect(throws: TorchError.self) {
            try Search(pythonFolder: "/nowhere").run { _ -> Search.Outcome<Int> in
                .notOpened("not here")
            }
        }
        let text = "\(try #require(error))"
        #expect(text.contains("this process: not here"))
        #expect(text.contains("/nowhere: no libtorch_cpu.so there"))
        #expect(text.contains("pip install"))
    }

    @Test func theVersionIsSupported() throws {
        #expect(try LibTorch.shared().version >= (2, 10))
    }
}
