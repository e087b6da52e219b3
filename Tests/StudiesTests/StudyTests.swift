import Checkpoints
import Foundation
import Imaging
import Pipelines
import Studies
import TestSupport
import Testing

/// Whole runs with a small model.
@Suite struct StudyTests {
    // MARK: - Results

    @Test func writesLatentsOfEachPictureAndTellsOfThem() throws {
        let fixture = try StudyFixture(pictures: 3)
        var told: [StudyProgress] = []
        let summary = try fixture.run({ $0.stacks = true }) { told.append($0) }
        #expect(summary.total == 3)
        #expect(summary.extracted == 3)
        #expect(summary.reused == 0)
        #expect(summary.failures == [])
        #expect(told.last?.finished == 3)
        #expect(
            try fixture.files().keys.sorted() == [
                ".lock", "latents.csv", "latents.npy", "latents/picture 1.pt",
                "latents/picture 2.pt", "latents/picture 3.pt", "manifest.jsonl", "settings.json",
            ])
        let rows = try fixture.rows()
        #expect(rows.map(\.name) == ["picture 1", "picture 2", "picture 3"])
        #expect(rows.allSatisfy { $0.status == .done && $0.shape == [1, 4, 4, 6] && $0.seed == 7 })
        #expect(Set(rows.map(\.sha256)).count == 3)
    }

    /// The extractor by itself, without files and threads.
    @Test func latentsAreThoseOfTheExtractor() throws {
        var fixture = try StudyFixture(pictures: 2)
        fixture.settings.strength = 0.5
        fixture.settings.numInferenceSteps = 4
        fixture.settings.prompt = nil
        fixture.request.pictures[0].prompt = "a red circle"
        try fixture.run()
        let extractor = try ImageExtractor(modelFolder: StudyFixture.model, device: .cpu)
        for picture in fixture.request.pictures {
            let image = try StudyFixture.codec.decode(bytes(ofFile: picture.path), picture.path)
            let expected = fixture.folder.file("expected.pt")
            let latents = try extractor.latents(
                of: image, prompt: picture.prompt, options: fixture.settings.denoising, seed: 7)
            let values = try latents.values().withUnsafeBytes { Array($0) }
            try latents.write(to: expected)
            #expect(try SavedTensor(path: expected).elements == values)
            let saved = try SavedTensor(path: fixture.study().folder.latents(picture.name))
            #expect(saved.elements == values)
        }
    }

    @Test func theModeIsWithoutNoise() throws {
        var fixture = try StudyFixture(pictures: 1)
        fixture.settings.posterior = .mode
        fixture.settings.seed = nil
        try fixture.run(in: "one") { $0.pictures[0].seed = 1 }
        try fixture.run(in: "two") { $0.pictures[0].seed = 2 }
        fixture.settings.posterior = .sample
        try fixture.run(in: "drawn") { $0.pictures[0].seed = 2 }
        let values = try ["one", "two", "drawn"].map {
            try SavedTensor(path: fixture.folder.file("\($0)/latents/picture 1.pt")).elements
        }
        #expect(values[0] == values[1])
        #expect(values[0] != values[2])
    }

    @Test(
        arguments: [
            { $0.reverse() }, { $0.shuffle() },
            { pictures in pictures.swapAt(0, 3) },
        ] as [@Sendable (inout [StudyPicture]) -> Void])
    func orderIsWithoutInfluence(_ change: @Sendable (inout [StudyPicture]) -> Void) throws {
        let fixture = try StudyFixture(pictures: 6)
        try fixture.run(in: "in order")
        try fixture.run(in: "changed") { change(&$0.pictures) }
        let (inOrder, changed) = (
            try fixture.files(of: "in order"), try fixture.files(of: "changed")
        )
        for path in inOrder.keys where path != "manifest.jsonl" {
            #expect(inOrder[path] == changed[path], "\(path)")
        }
        try fixture.run(in: "changed")
        #expect(try fixture.files(of: "changed") == inOrder, "the manifest follows the last run")
    }

    @Test func theBatchIsWithoutInfluence() throws {
        let fixture = try StudyFixture(pictures: 9)
        for size in [1, 2, 8] { try fixture.run(in: "\(size)") { $0.batchSize = size } }
        #expect(try fixture.files(of: "1") == fixture.files(of: "2"))
        #expect(try fixture.files(of: "1") == fixture.files(of: "8"))
    }

    @Test(arguments: [1, 2, 5]) func partsMakeTheWhole(_ count: Int) throws {
        let fixture = try StudyFixture(pictures: 7)
        try fixture.folder.write([], to: "picture 4.raw")
        try fixture.run(in: "whole") { $0.stacks = true }
        for number in (1...count).reversed() {
            let summary = try fixture.run(in: "parts") {
                $0.role = .shard(try Shard(number: number, of: count))
            }
            #expect(summary.manifest.hasSuffix("shards/manifest-\(number)-of-\(count).jsonl"))
        }
        let joined = try fixture.run(in: "parts") { $0.stacks = true }
        #expect((joined.reused, joined.failures.count) == (6, 1))
        #expect(try fixture.files(of: "parts") == fixture.files(of: "whole"))
        let manifest = String(
            decoding: try fixture.folder.read("parts/manifest.jsonl"), as: UTF8.self)
        #expect(
            manifest.components(separatedBy: "\"seconds\"").count == 7,
            "the parts' times are kept")
    }

    @Test func workersDoTheirPicturesAndNothingElse() throws {
        let fixture = try StudyFixture(pictures: 4)
        let summary = try fixture.run {
            $0.role = .worker
            $0.pictures = Array($0.pictures[1...2])
        }
        #expect(summary.rows.count == 2)
        #expect(
            try fixture.files().keys.sorted() == [
                ".lock", "latents/picture 2.pt", "latents/picture 3.pt", "settings.json",
            ])
        #expect(try fixture.run().reused == 2)
    }

    // MARK: - Resuming

    @Test func whatIsDoneIsKept() throws {
        let fixture = try StudyFixture(pictures: 3)
        try fixture.run()
        let files = try fixture.files()
        let dates = try fixture.modificationDates()
        let again = try fixture.run()
        #expect((again.extracted, again.reused) == (0, 3))
        #expect(try fixture.files() == files)
        #expect(try fixture.modificationDates() == dates)
        #expect(try fixture.run({ $0.resumes = false }).extracted == 3)
        #expect(try fixture.files() == files)
    }

    @Test func whatChangedIsDoneAgain() throws {
        var fixture = try StudyFixture(pictures: 5)
        fixture.settings.prompt = nil
        fixture.settings.seed = nil
        try fixture.run { $0.savesPictures = true }
        // Another picture, prompt and seed; latents and a picture that are damaged.
        try fixture.folder.write(
            fixture.folder.read("picture 2.raw"), to: "picture 1.raw")
        fixture.request.pictures[1].prompt = "another"
        fixture.request.pictures[2].seed = 8
        try fixture.flipByte(in: "study/latents/picture 4.pt")
        try fixture.flipByte(in: "study/pictures/picture 5.png")
        #expect(try fixture.run({ $0.savesPictures = true }).extracted == 5)
        try fixture.run(in: "fresh") { $0.savesPictures = true }
        #expect(try fixture.files() == fixture.files(of: "fresh"))
        // Pictures that were not wanted before.
        try fixture.run(in: "later")
        #expect(try fixture.run(in: "later", { $0.savesPictures = true }).extracted == 5)
        #expect(try fixture.files(of: "later") == fixture.files(of: "fresh"))
    }

    @Test func everyChangedSettingIsRefusedByName() throws {
        let fixture = try StudyFixture(pictures: 1)
        try fixture.run()
        let files = try fixture.files()
        let changes: [(String, (inout StudySettings) -> Void)] = [
            ("size", { $0.size = [16, 16] }), ("fit", { $0.fit = .pad }),
            ("exif", { $0.exif = false }), ("background", { $0.background = .black }),
            ("posterior", { $0.posterior = .mode }), ("strength", { $0.strength = 0.5 }),
            ("num_inference_steps", { $0.numInferenceSteps = 3 }),
            ("guidance_scale", { $0.guidanceScale = 1 }),
            ("negative_prompt", { $0.negativePrompt = "blue" }),
            ("prompts", { $0.prompt = "a cat" }),
            ("prompts", { $0.prompt = nil }), ("seed", { $0.seed = 8 }),
            ("seed", { $0.seed = nil }),
            ("dtype", { $0.dtype = "bfloat16" }), ("precision", { $0.precision = .exact }),
        ]
        for (name, change) in changes {
            var changed = fixture
            change(&changed.settings)
            let error = #expect(throws: StudyError.self) { try changed.run() }
            guard case .otherSettings(_, let differences) = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(differences.map(\.name).contains(name), "\(differences)")
        }
        #expect(try fixture.files() == files)
        var changed = fixture
        changed.settings.posterior = .mode
        #expect(try changed.run({ $0.resumes = false }).extracted == 1)
    }

    @Test func anotherModelIsRefusedAndAMovedOneIsNot() throws {
        let fixture = try StudyFixture(pictures: 1)
        try fixture.run()
        let moved = fixture.folder.file("moved")
        try FileManager.default.copyItem(atPath: StudyFixture.model, toPath: moved)
        func run() throws -> StudySummary {
            try Study(
                folder: fixture.folder.file("study"), settings: fixture.settings,
                versions: ["tests": "1"], codec: StudyFixture.codec, modelFolder: moved,
                device: .cpu
            ).run(fixture.request)
        }
        #expect(try run().reused == 1)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: "\(moved)/vae/config.json")
        try fixture.folder.write(
            fixture.folder.read("moved/vae/config.json") + [UInt8(ascii: "\n")],
            to: "moved/vae/config.json")
        let error = #expect(throws: StudyError.self) { try run() }
        #expect("\(String(describing: error))".contains("model_id"))
    }

    @Test func otherVersionsAreToldOf() throws {
        let fixture = try StudyFixture(pictures: 1)
        try fixture.run()
        var warnings: [String] = []
        _ = try Study(
            folder: fixture.folder.file("study"), settings: fixture.settings,
            versions: ["tests": "2"], codec: StudyFixture.codec, modelFolder: StudyFixture.model,
            device: .cpu, warn: { warnings.append($0) }
        ).run(fixture.request)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("tests 1 there, 2 now") == true, "\(warnings)")
    }

    @Test(arguments: ["", "{", "[]", "{\"settings\": 3}", "\u{0}"])
    func aDamagedSettingsFileIsRefused(_ text: String) throws {
        let fixture = try StudyFixture(pictures: 1)
        try fixture.run()
        try fixture.folder.write(text.utf8, to: "study/settings.json")
        let error = #expect(throws: StudyError.self) { try fixture.run() }
        #expect("\(String(describing: error))".contains("settings.json"))
    }

    @Test func aManifestThatWasCutOffIsMended() throws {
        let fixture = try StudyFixture(pictures: 3)
        try fixture.run()
        let files = try fixture.files()
        let manifest = try fixture.folder.read("study/manifest.jsonl")
        try fixture.folder.write(manifest.dropLast(25) + [0xFF], to: "study/manifest.jsonl")
        #expect(try fixture.run().reused == 3)
        #expect(try fixture.files() == files)
    }

    @Test func whatAKilledRunLeftIsRemoved() throws {
        let fixture = try StudyFixture(pictures: 1)
        try fixture.run()
        let files = try fixture.files()
        for place in ["", "latents/"] {
            try fixture.folder.write([1, 2, 3], to: "study/\(place).gpi-abc.tmp")
        }
        try fixture.run()
        #expect(try fixture.files() == files)
    }

    // MARK: - What goes wrong

    @Test func picturesThatFailAreRecorded() throws {
        let fixture = try StudyFixture(pictures: 5)
        try fixture.folder.write([], to: "picture 2.raw")
        try FileManager.default.removeItem(atPath: fixture.request.pictures[3].path)
        let summary = try fixture.run { $0.stacks = true }
        #expect(summary.extracted == 3)
        #expect(summary.failures.map(\.name) == ["picture 2", "picture 4"])
        let rows = try fixture.rows()
        #expect(rows.map(\.status) == [.done, .failed, .done, .failed, .done])
        #expect(rows[1].error?.contains("is no picture") == true)
        #expect(rows[3].error?.contains("No such file") == true, "\(rows[3])")
        // Mended, they are done the next time.
        try fixture.folder.write(fixture.folder.read("picture 1.raw"), to: "picture 2.raw")
        try fixture.folder.write(fixture.folder.read("picture 3.raw"), to: "picture 4.raw")
        let again = try fixture.run { $0.stacks = true }
        #expect((again.extracted, again.reused) == (2, 3))
        try fixture.run(in: "fresh") { $0.stacks = true }
        #expect(try fixture.files() == fixture.files(of: "fresh"))
    }

    @Test func theFirstFailureEndsTheRunIfAsked() throws {
        let fixture = try StudyFixture(pictures: 9)
        try fixture.folder.write([], to: "picture 3.raw")
        let error = #expect(throws: StudyError.self) {
            try fixture.run { $0.stopsAtFailure = true }
        }
        guard case .failed(name: "picture 3", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let rows = try fixture.rows()
        #expect(rows.map(\.status) == [.done, .done, .failed])
    }

    @Test func whatProgressThrowsEndsTheRunAndNothingIsHalf() throws {
        struct Stop: Error {}
        let fixture = try StudyFixture(pictures: 400)
        #expect(throws: Stop.self) {
            try fixture.run(progress: { if $0.finished > 0 { throw Stop() } })
        }
        let done = try fixture.rows().count
        #expect(done > 0 && done < 400)
        try fixture.run()
        try fixture.run(in: "fresh")
        #expect(try fixture.files() == fixture.files(of: "fresh"))
    }

    @Test func aFolderThatCannotBeWrittenToEndsTheRun() throws {
        let fixture = try StudyFixture(pictures: 2)
        // A file where a folder has to be.
        try fixture.folder.write([1], to: "study")
        #expect(throws: (any Error).self) { try fixture.run() }
        #expect(try fixture.folder.read("study") == [1])
        try FileManager.default.createDirectory(
            atPath: fixture.folder.file("other/latents/picture 2.pt"),
            withIntermediateDirectories: true)
        let error = #expect(throws: (any Error).self) { try fixture.run(in: "other") }
        #expect("\(String(describing: error))".contains("picture 2.pt"))
        #expect(try fixture.rows(of: "other").map(\.name) == ["picture 1"])
    }

    @Test func onlyOneRunHasTheFolder() throws {
        let fixture = try StudyFixture(pictures: 30)
        var isTried = false
        try fixture.run(in: "study") { _ in
        } progress: { _ in
            guard !isTried else { return }
            isTried = true
            #expect(throws: StudyError.inUse(folder: fixture.folder.file("study"))) {
                try fixture.run()
            }
            #expect(throws: StudyError.inUse(folder: fixture.folder.file("study"))) {
                try fixture.run { $0.role = .worker }
            }
        }
        #expect(isTried)
        try fixture.run(in: "parts") {
            $0.role = .shard(try Shard(number: 1, of: 2))
        } progress: { _ in
            try fixture.run(in: "parts") { $0.role = .shard(try Shard(number: 2, of: 2)) }
        }
    }

    @Test func argumentsOutOfRangeAreNamed() throws {
        let fixture = try StudyFixture(pictures: 2)
        func refused(
            _ name: String, _ settings: (inout StudySettings) -> Void = { _ in },
            _ request: (inout StudyRequest) throws -> Void = { _ in }
        ) {
            var changed = fixture
            settings(&changed.settings)
            let error = #expect(throws: (any Error).self) {
                try changed.run(in: "refused", request)
            }
            #expect("\(String(describing: error))".contains("\(name)"), "\(name): \(error as Any)")
        }
        refused("size", { $0.size = [20, 16] })
        refused("size", { $0.size = [0, 16] })
        refused("size", { $0.size = [16] })
        refused("strength", { $0.strength = 1.5 })
        refused("strength", { $0.strength = .nan })
        refused("num_inference_steps", { $0.numInferenceSteps = 0 })
        refused("dtype", { $0.dtype = "int64" })
        refused("stacked", { $0.size = nil }, { $0.stacks = true })
        refused("stacked", { _ in }) {
            $0.stacks = true
            $0.role = .shard(try Shard(number: 1, of: 2))
        }
        refused("images", { _ in }, { $0.pictures = [] })
        refused("batch_size", { _ in }, { $0.batchSize = 0 })
        refused("names", { _ in }, { $0.pictures[1].name = $0.pictures[0].name })
        for name in [
            "", "..", "a/../b", "/a", "a/", "a//b", "a\u{0}b", String(repeating: "x", count: 300),
        ] {
            refused("names", { _ in }, { $0.pictures[1].name = name })
        }
        refused("resume", { _ in }) {
            $0.resumes = false
            $0.role = .worker
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.folder.file("refused")))
    }

    @Test func namesMayHaveFolders() throws {
        let fixture = try StudyFixture(pictures: 2)
        try fixture.run {
            $0.savesPictures = true
            $0.pictures[0].name = "a/b/one"
            $0.pictures[1].name = "a/ü 😀"
        }
        #expect(try !fixture.folder.read("study/latents/a/b/one.pt").isEmpty)
        #expect(try !fixture.folder.read("study/pictures/a/ü 😀.png").isEmpty)
    }

    // MARK: - Looking

    @Test func aSheetShowsWhatIsDone() throws {
        let fixture = try StudyFixture(pictures: 5)
        var options = StudySheet()
        options.count = 4
        options.columns = 2
        options.cell = 32
        #expect(throws: StudyError.self) { try fixture.study().sheet(options) }
        try fixture.run()
        let sheet = try fixture.study().sheet(options)
        #expect(sheet == (try fixture.study().sheet(options)))
        let expected = try ContactSheet(pairCount: 4, columns: 2, cell: 32).image.size
        #expect(sheet.size == expected)
        options.seed = 1
        #expect(try fixture.study().sheet(options) != sheet)
        options.columns = 0
        #expect(throws: StudyError.self) { try fixture.study().sheet(options) }
    }
}
