import Foundation
import ImageFiles
import Imaging
import TestSupport
import Testing

/// `extract` and `sheet`, in processes that are killed, multiplied and denied room.
@Suite struct StudyCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.file("pictures/more"), withIntermediateDirectories: true)
    }

    /// Pictures of several sizes, no two alike.
    private func makePictures(_ count: Int) throws {
        for number in 0..<count {
            let size = PixelSize(width: 17 + number % 5, height: 24 - number % 7)
            let pixels = (0..<(3 * size.width * size.height)).map {
                UInt8(truncatingIfNeeded: $0 * (number + 3) / 7)
            }
            try RGBImage(width: size.width, height: size.height, pixels: pixels).writePNG(
                to: folder.file("pictures/\(number % 2 == 0 ? "" : "more/")\(number).png"))
        }
    }

    private var arguments: [String] {
        [
            "extract", "pictures", "--model", CommandLine.model, "--size", "16x24", "--seed", "42",
            "--save-images",
        ]
    }

    private func extract(to output: String, _ more: String...) throws -> CommandLine.Result {
        try CommandLine.run(arguments + ["--output", output] + more, in: folder)
    }

    /// All files of a study, but for the seconds in the manifest, which no two runs share.
    private func files(of study: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: folder.file(study))
            ?? .init()
        {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: folder.file("\(study)/\(path)"), isDirectory: &isFolder)
            guard !isFolder.boolValue else { continue }
            var bytes = try folder.read("\(study)/\(path)")
            if path.hasSuffix(".jsonl") {
                let text = String(decoding: bytes, as: UTF8.self)
                bytes = Array(text.replacing(/"seconds":\{[^}]*\},/, with: "").utf8)
            }
            files[path] = bytes
        }
        return files
    }

    @Test func extractsAndResumes() throws {
        try makePictures(6)
        let made = try extract(to: "study")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.hasPrefix("6 pictures: 6 extracted, 0 were there, 0 failed.\n"))
        #expect(made.output.contains("study/latents.npy"))
        #expect(made.errors.contains("Extracting: 6 of 6 pictures"))
        #expect(!made.errors.contains("\r"))
        let picture = try RGBImage(contentsOf: folder.file("study/pictures/more/5.png"))
        #expect((picture.width, picture.height) == (16, 24))
        let again = try extract(to: "study")
        #expect(again.output.hasPrefix("6 pictures: 0 extracted, 6 were there, 0 failed.\n"))
        let changed = try extract(to: "study", "--fit", "pad")
        #expect(changed.status != 0)
        #expect(changed.errors.contains("fit: crop there, pad now"), "\(changed.errors)")
    }

    @Test func failuresAreToldAndEndWithStatus1() throws {
        try makePictures(3)
        try folder.write("no picture".utf8, to: "pictures/1a.jpg")
        let made = try extract(to: "study")
        #expect(made.status == 1)
        #expect(made.output.hasPrefix("4 pictures: 3 extracted, 0 were there, 1 failed.\n"))
        #expect(made.errors.contains("pictures/1a.jpg: is not a picture of a supported format"))
        let stopped = try extract(to: "other", "--stop-at-failure")
        #expect(stopped.status != 0)
        #expect(stopped.errors.contains("1a.jpg"))
    }

    @Test func partsInProcessesAtOnceMakeTheWhole() throws {
        try makePictures(20)
        #expect(try extract(to: "whole").status == 0)
        let parts = try (1...3).map { number in
            try CommandLine.start(
                arguments + ["--output", "parts", "--shard", "\(number)/3"], in: folder)
        }
        for part in parts {
            part.waitUntilExit()
            #expect(part.terminationStatus == 0)
        }
        #expect(
            try extract(to: "parts").output.hasPrefix("20 pictures: 0 extracted, 20 were there"))
        #expect(try files(of: "parts") == files(of: "whole"))
    }

    /// As when a machine is switched off, again and again.
    @Test func killsAtAnyMomentChangeNothing() throws {
        try makePictures(200)
        #expect(try extract(to: "whole").status == 0)
        var longest: UInt32 = 1_200_000
        for killed in 1...50 {
            let run = try CommandLine.start(arguments + ["--output", "killed"], in: folder)
            // The first moments in a process are those of loading; later ones get further.
            usleep(UInt32.random(in: 50_000...longest))
            kill(run.processIdentifier, SIGKILL)
            run.waitUntilExit()
            // On a busy machine loading takes longer than that.
            let latents = try? FileManager.default.contentsOfDirectory(
                atPath: folder.file("killed/latents"))
            if killed.isMultiple(of: 10), latents?.isEmpty ?? true { longest *= 2 }
        }
        let last = try extract(to: "killed")
        #expect(last.status == 0)
        #expect(!last.output.contains(" 0 were there"), "no run got anywhere")
        #expect(try files(of: "killed") == files(of: "whole"))
    }

    @Test func aSecondRunIsRefusedAndHarmsNothing() throws {
        try makePictures(60)
        #expect(try extract(to: "whole").status == 0)
        let first = try CommandLine.start(arguments + ["--output", "shared"], in: folder)
        while !FileManager.default.fileExists(atPath: folder.file("shared/manifest.jsonl")) {
            usleep(1000)
        }
        let second = try extract(to: "shared")
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        // The first may have been through already.
        if second.status != 0 {
            #expect(second.errors.contains("Another process is at work in shared"))
        }
        #expect(try files(of: "shared") == files(of: "whole"))
    }

    /// A real disk of 300 kB, where the system lets one be made.
    @Test func aFullDiskEndsTheRunAndTheNextGoesOn() throws {
        try makePictures(60)
        let disk = folder.file("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mount = "mount -t tmpfs -o size=300k none disk"
        let canMount = try CommandLine.run(
            [], in: folder, through: ["unshare", "-rm", "sh", "-c", mount])
        guard canMount.status == 0 else { return }
        let line = """
            \(mount) && "$0" "$@" --output disk/study; status=$?
            find disk -name '*.tmp' | wc -l >&2
            mount -o remount,size=8m none disk && "$0" "$@" --output disk/study && cp -r disk/study mended
            exit $status
            """
        let result = try CommandLine.run(
            arguments, in: folder, through: ["unshare", "-rm", "sh", "-c", line])
        #expect(result.status != 0)
        #expect(result.errors.contains("No space left"), "\(result.errors)")
        #expect(result.errors.contains("\n0\n"), "temporary files are left: \(result.errors)")
        #expect(try extract(to: "whole").status == 0)
        #expect(try files(of: "mended") == files(of: "whole"))
    }

    @Test func drawsASheet() throws {
        try makePictures(5)
        #expect(try extract(to: "study").status == 0)
        let drawn = try CommandLine.run(
            ["sheet", "study", "--count", "4", "--columns", "2", "--cell", "40"], in: folder)
        #expect(drawn.status == 0, "\(drawn.errors)")
        #expect(drawn.output == "study/sheet.png\n")
        let sheet = try RGBImage(contentsOf: folder.file("study/sheet.png"))
        #expect(sheet.width > 160 && sheet.height > 80)
    }

    @Test(arguments: [
        (["extract", "absent"], "--output"),
        (["extract", "absent", "--output", "o"], "absent"),
        (["extract", "pictures", "--output", "o"], "no picture under pictures"),
        (["extract", "pictures", "--output", "o", "--size", "20"], "size: 20 by 20"),
        (["extract", "pictures", "--output", "o", "--size", "x"], "--size"),
        (["extract", "pictures", "--output", "o", "--fit", "shrink"], "--fit"),
        (["extract", "pictures", "--output", "o", "--background", "mauvish"], "--background"),
        (["extract", "pictures", "--output", "o", "--strength", "2"], "strength: 2"),
        (["extract", "pictures", "--output", "o", "--shard", "3/2"], "--shard"),
        (["sheet", "absent"], "absent/settings.json"),
    ])
    func badArgumentsAreNamed(_ arguments: [String], expected: String) throws {
        let model = arguments[0] == "extract" ? ["--model", CommandLine.model] : []
        let result = try CommandLine.run(arguments + model, in: folder)
        #expect(result.status != 0)
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("o")))
    }
}
