import Checkpoints
import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Training

/// Twenty steps of training beside those of a loop in PyTorch, from the same weights, pictures and draws.
struct TwentySteps {
    /// In Python: writes model and pictures, trains with the draws that it is given, and prints the losses.
    let script: String
    let settings: TrainingSettings
    private let library: LibTorch

    init(script: String, in library: LibTorch) {
        self.script = script
        self.library = library
        var settings = TrainingSettings()
        settings.steps = 20
        settings.batchSize = 4
        settings.learningRate = 1e-3
        settings.warmupSteps = 0
        settings.schedule = .constant
        settings.averageDecay = nil
        settings.seed = 11
        self.settings = settings
    }

    /// The losses of the reference's steps.
    /// - Parameter draws: what is drawn for a micro-batch beside its pictures.
    func reference(
        _ command: String, at place: String, draws: (TrainingRandomness) throws -> [String: Tensor]
    ) throws -> [Double] {
        var order = BatchOrder(count: 8, seed: settings.seed)
        var rows: [String: [Tensor]] = [:]
        for step in 1...settings.steps {
            let samples = order.samples(from: (step - 1) * 4, count: 4)
            rows["indices", default: []].append(
                try Tensor(samples.map { Int64($0.index) }, shape: [4], in: library))
            for (name, draw) in try draws(TrainingRandomness(seed: settings.seed, step: step)) {
                rows[name, default: []].append(draw)
            }
        }
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try SafetensorsWriter.write(
            rows.mapValues { rows in
                try Tensor.concatenated(
                    rows.map { try $0.reshaped([1] + $0.shape) }, dimension: 0)
            }, to: "\(place)/draws.safetensors")
        return try PythonReference(script).run(command, place)
    }

    /// The reference's pictures and captions.
    func data(at place: String) throws -> TrainingData {
        let file = try SafetensorsFile(path: "\(place)/pictures.safetensors", in: library)
        let tensor = try file.tensor(named: "pictures")
        let values: [UInt8] = try tensor.elements()
        let (height, width) = (tensor.shape[1], tensor.shape[2])
        let captions = try? JSONDecoder().decode(
            [String].self, from: Data(contentsOf: URL(fileURLWithPath: "\(place)/captions.json")))
        let byteCount = 3 * width * height
        return try TrainingData(
            (0..<tensor.shape[0]).map { TrainingPicture(path: "\($0)", caption: captions?[$0]) },
            size: PixelSize(width: width, height: height)
        ) { picture in
            let start = try #require(Int(picture.path)) * byteCount
            return try RGBImage(
                width: width, height: height, pixels: Array(values[start..<start + byteCount]))
        }
    }

    /// Trains, and compares the loss of each step and the parameters after the last.
    ///
    /// - Parameter elementByElement: whether each of them alone is compared, rather than each tensor as a
    ///   whole. Where a loss hardly counts some timesteps, some gradients are little more than rounding,
    ///   and Adam, which divides by their size, makes steps of them all the same.
    func compare(
        _ objective: any TrainingObjective, _ losses: [Double], at place: String,
        elementByElement: Bool = true
    ) throws {
        let loop = try TrainingLoop(objective, data: data(at: place), settings: settings)
        try #require(losses.count == settings.steps)
        for expected in losses {
            let step = try loop.advance()
            #expect(abs(step.loss - expected) < 1e-4 * expected, "step \(step.number)")
        }
        let trained = try SafetensorsFile(path: "\(place)/trained.safetensors", in: library)
        #expect(Set(trained.names) == Set(objective.parameters.keys))
        for (name, tensor) in objective.parameters {
            let expected = try trained.tensor(named: name).elements(as: Double.self)
            let found = try tensor.elements(as: Double.self)
            // A bias of keys has no influence: what it learns is the optimiser's scale of rounding.
            guard !name.hasSuffix("k_proj.bias"), !name.hasSuffix("to_k.bias") else { continue }
            let errors = zip(found, expected).map { abs($0 - $1) }
            if elementByElement {
                let largest = expected.map(abs).max() ?? 0
                #expect(errors.max() ?? .infinity <= 1e-4 * max(largest, 1), "\(name)")
            } else {
                #expect(length(errors) <= 1e-4 * max(length(expected), 1), "\(name)")
            }
        }
    }

    private func length(_ vector: [Double]) -> Double {
        vector.map { $0 * $0 }.reduce(0, +).squareRoot()
    }
}
