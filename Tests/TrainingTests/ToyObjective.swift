import Files
import Foundation
import Imaging
import TestSupport
import Torch

@testable import Training

/// A model of one colour: it learns the mean of the pictures, seen through noise.
struct ToyObjective: TrainingObjective {
    let color: Tensor
    /// The step whose loss is no number.
    var failure: Int?
    var facts = ["kind": "toy"]

    init(in library: LibTorch) throws {
        color = try Tensor([0, 0, 0] as [Float], shape: [1, 3, 1, 1], in: library)
    }

    var parameters: [String: Tensor] { ["color": color] }

    func loss(of batch: TrainingBatch, randomness: TrainingRandomness) throws -> Tensor {
        let pixels = try batch.pixels(in: LibTorch.shared())
        let noise = try randomness.normal(pixels.shape, in: LibTorch.shared())
        let error = try color + 0.1 * noise - pixels
        let loss = try (error * error).mean()
        return try randomness.step == failure ? Double.nan * loss : loss
    }

    func samples(count: Int, of data: TrainingData, seed: UInt64) throws -> [RGBImage] {
        let picture = try RGBImage(decoded: color)
        return Array(repeating: picture, count: count)
    }

    func save(to folder: String) throws {
        let values = try color.elements(as: Float.self)
        try PendingFolder.make(folder)
        try AtomicFile.write("\(values)".utf8, to: "\(folder)/color.txt")
    }
}

extension TrainingData {
    /// Pictures of 8x8 pixels in one colour each.
    static func colors(_ count: Int) throws -> TrainingData {
        try TrainingData(
            (0..<count).map { TrainingPicture(path: "\($0)") },
            size: PixelSize(width: 8, height: 8)
        ) { picture in
            let level = UInt8(truncatingIfNeeded: (Int(picture.path) ?? 0) * 37)
            return try RGBImage(
                width: 8, height: 8,
                pixels: (0..<64).flatMap { _ in [level, 128, 255 - level] })
        }
    }
}
