import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Training

/// Which pictures are learnt from, what they show, and in which order they come.
@Suite struct TrainingDataTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func files(_ names: String...) throws {
        for name in names {
            let parent = URL(fileURLWithPath: folder.file(name)).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try folder.write([], to: name)
        }
    }

    private func pictures(_ captions: TrainingListing.Captions) throws -> [TrainingPicture] {
        try TrainingListing.pictures(under: folder.path, captions: captions)
    }

    private func failure(_ captions: TrainingListing.Captions) -> String {
        let error = #expect(throws: TrainingError.self) { try pictures(captions) }
        return error.map { "\($0)" } ?? ""
    }

    // MARK: - Order

    @Test func everyPictureComesOnceInAnEpoch() {
        var order = BatchOrder(count: 7, seed: 3)
        let indices = order.samples(from: 0, count: 70).map(\.index)
        for epoch in 0..<10 {
            #expect(Set(indices[epoch * 7..<epoch * 7 + 7]).count == 7)
        }
        let epochs = stride(from: 0, to: 70, by: 7).map { Array(indices[$0..<$0 + 7]) }
        #expect(Set(epochs).count > 5)
    }

    @Test func theOrderDependsOnThePlaceAlone() {
        var (whole, part) = (
            BatchOrder(count: 5, seed: 1, flips: true), BatchOrder(count: 5, seed: 1, flips: true)
        )
        let samples = whole.samples(from: 0, count: 40)
        for start in [33, 2, 17] {
            #expect(part.samples(from: start, count: 6) == Array(samples[start..<start + 6]))
        }
        #expect(samples.contains { $0.isFlipped } && samples.contains { !$0.isFlipped })
        var other = BatchOrder(count: 5, seed: 2, flips: true)
        #expect(other.samples(from: 0, count: 40) != samples)
    }

    // MARK: - Randomness

    @Test func drawsAreIndependentAndRepeatable() throws {
        let library = try LibTorch.shared()
        var seen = Set<[Float]>()
        for step in 1...3 {
            for microBatch in 0..<2 {
                let draw = TrainingRandomness(seed: 5, step: step, microBatch: microBatch)
                let noise: [Float] = try draw.normal([20], in: library).elements()
                #expect(try draw.normal([20], in: library).elements() == noise)
                let posterior: [Float] = try draw.normal([20], for: .posterior, in: library)
                    .elements()
                seen.formUnion([noise, posterior])
            }
        }
        #expect(seen.count == 12)
        let many = TrainingRandomness(seed: 5, step: 1).timesteps(20_000, below: 10)
        for timestep in 0..<10 {
            #expect((1800...2200).contains(many.filter { $0 == timestep }.count))
        }
        let chances = TrainingRandomness(seed: 5, step: 1).chances(20_000, of: 0.1, for: .dropout)
        #expect((1800...2200).contains(chances.filter { $0 }.count))
    }

    // MARK: - Captions

    @Test func captionsOfNames() throws {
        try files("a-red_circle-12.png", "b/blue square.JPG", "notes.txt", ".hidden.png")
        let found = try pictures(.names)
        #expect(found.map(\.name) == ["a-red_circle-12.png", "b/blue square.JPG"])
        #expect(found.map(\.caption) == ["a red circle", "blue square"])
        #expect(try pictures(.none).map(\.caption) == [nil, nil])
    }

    @Test func captionsOfMetadata() throws {
        try files("1.png", "2.png", "10.png")
        let lines = [
            #"{"file_name": "2.png", "text": "two", "more": [1]}"#, "",
            #"{"file_name": "1.png", "text": "one \u00e9"}"#, #"{"file_name":"10.png","text":""}"#,
        ]
        try folder.write(lines.joined(separator: "\r\n").utf8, to: "metadata.jsonl")
        let found = try pictures(.metadata)
        #expect(found.map(\.name) == ["1.png", "2.png", "10.png"])
        #expect(found.map(\.caption) == ["one é", "two", ""])
    }

    @Test func whatIsWrongWithCaptionsIsNamed() throws {
        #expect(failure(.none).contains("no picture under \(folder.path)"))
        try files("1.png", "2.png")
        #expect(failure(.metadata).contains("metadata.jsonl"))
        func write(_ lines: String...) throws {
            try folder.write(lines.joined(separator: "\n").utf8, to: "metadata.jsonl")
        }
        let one = #"{"file_name": "1.png", "text": "one"}"#
        try write(one)
        #expect(failure(.metadata).contains("/2.png has no caption"))
        try write(one, #"{"file_name": "3.png", "text": "three"}"#)
        #expect(failure(.metadata).contains("line 2"))
        #expect(failure(.metadata).contains("about 3.png"))
        try write(one, one)
        #expect(failure(.metadata).contains("second one about 1.png"))
        try write(one, #"{"file_name": "2.png"}"#)
        #expect(failure(.metadata).contains("line 2"))
        #expect(
            throws: TrainingError.self,
            performing: { try TrainingListing.pictures(under: folder.file("nowhere")) })
    }

    // MARK: - Pixels

    @Test func picturesOfAllSizesAreBroughtToOne() throws {
        let sizes = [(8, 8), (16, 8), (3, 30)]
        var reads = 0
        let data = try TrainingData(
            sizes.indices.map { TrainingPicture(path: "\($0)") },
            size: PixelSize(width: 8, height: 6), memory: 2 * 8 * 6 * 3
        ) { picture in
            reads += 1
            let (width, height) = sizes[Int(picture.path) ?? 0]
            let pixels = (0..<width * height * 3).map { UInt8($0 % 251) }
            return try RGBImage(width: width, height: height, pixels: pixels)
        }
        let samples = sizes.indices.map { TrainingSample(index: $0) }
        let library = try LibTorch.shared()
        let pixels = try data.pixels(of: samples, in: library)
        #expect(pixels.shape == [3, 3, 6, 8])
        #expect(try pixels.elements(as: Float.self).allSatisfy { (-1...1).contains($0) })
        _ = try data.pixels(of: samples, in: library)
        // Two fit into the memory.
        #expect(reads == 4)

        let mirrored = try data.pixels(of: [TrainingSample(index: 0, isFlipped: true)], in: library)
        let row: [Float] = try pixels.narrowed(dimension: 0, start: 0, length: 1).elements()
        let back: [Float] = try mirrored.elements()
        #expect(row != back)
        #expect(Array(row[0..<8].reversed()) == Array(back[0..<8]))
    }

    @Test func someCaptionsAreRefused() throws {
        let error = #expect(throws: TrainingError.self) {
            try TrainingData(
                [TrainingPicture(path: "a", caption: "one"), TrainingPicture(path: "b")],
                size: PixelSize(width: 8, height: 8)
            ) { _ in try RGBImage(width: 1, height: 1, pixels: [0, 0, 0]) }
        }
        #expect(error.map { "\($0)".contains("b has none") } ?? false)
    }
}
