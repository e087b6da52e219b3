// The kernels against libtorch's own operators, on this machine:
//
//     swift run -c release kernels-benchmark layers|encoder|decoder|unet [SIDE] [REPEATS] [alone]
//
// Both take turns, so that a change of the machine's speed meets both; what is printed is the median
// of the ratios of neighbours, and the shortest times. Weights are random, models of the shape of
// Stable Diffusion 1.5, pictures SIDE pixels high and wide (512). `alone` runs the kernels without the
// other side, for a profiler, and prints the processors' time beside that of the clock.

import Checkpoints
import Diffusion
import Glibc
import Torch

struct Contest {
    let name: String
    let exact: () throws -> Tensor
    let fast: () throws -> Tensor

    func run(repeats: Int) throws {
        try ReusedMemory().scope {
            try isAlone ? runAlone(repeats: repeats) : compete(repeats: max(repeats, 1))
        }
    }

    private func runAlone(repeats: Int) throws {
        for _ in 0...repeats {
            let start = clock()
            let seconds = try Self.seconds(fast)
            let processors = Double(clock() - start) / Double(CLOCKS_PER_SEC)
            print("\(name): \(milliseconds(seconds)), of processors \(milliseconds(processors))")
        }
    }

    private func compete(repeats: Int) throws {
        let (first, second) = try (exact(), fast())
        var times: [(exact: Double, fast: Double)] = []
        for _ in 0..<repeats {
            times.append((try Self.seconds(exact), try Self.seconds(fast)))
        }
        let ratios = times.map { $0.exact / $0.fast }.sorted()
        let exact = times.map(\.exact).min() ?? 0
        let fast = times.map(\.fast).min() ?? 0
        print(
            "\(name): libtorch \(milliseconds(exact)), kernels \(milliseconds(fast)),",
            "\(Double(Int(100 * ratios[ratios.count / 2])) / 100) times as fast;",
            "largest difference \(try Self.difference(first, second)) of the largest magnitude")
    }

    private func milliseconds(_ seconds: Double) -> String {
        "\(Double(Int(10000 * seconds)) / 10) ms"
    }

    private static func seconds(_ body: () throws -> Tensor) throws -> Double {
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try body() }.components
        return Double(time.seconds) + Double(time.attoseconds) * 1e-18
    }

    private static func difference(_ a: Tensor, _ b: Tensor) throws -> Float {
        let (a, b) = try (a.elements(as: Float.self), b.elements(as: Float.self))
        let largest = a.reduce(0) { max($0, $1.magnitude) }
        return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
    }
}

/// Random weights that two models share.
final class SharedSource: TensorSource {
    let location = "random weights"
    private let source: RandomSource
    private var drawn: [String: Tensor] = [:]

    init(in library: LibTorch) { source = RandomSource(seed: 0, in: library) }

    var names: [String] { source.names }
    func contains(_ name: String) -> Bool { source.contains(name) }
    func spec(of name: String) throws -> TensorSpec { try source.spec(of: name) }
    func tensor(named name: String) throws -> Tensor { try source.tensor(named: name) }
    func tensor(named name: String, shape: [Int]) throws -> Tensor {
        if let tensor = drawn[name] { return tensor }
        let tensor = try source.tensor(named: name, shape: shape)
        drawn[name] = tensor
        return tensor
    }
}

let library = try LibTorch.shared()
let arguments = CommandLine.arguments.dropFirst()
let side = arguments.dropFirst().first.flatMap { Int($0) } ?? 512
let repeats = arguments.dropFirst(2).first.flatMap { Int($0) } ?? 5
let isAlone = arguments.last == "alone"
let noise = NoiseGenerator(seed: 1)
let source = SharedSource(in: library)
let exactWeights = Weights(source, precision: .exact)
let fastWeights = Weights(source, precision: .default)

/// Images, channels in and out, and the height and width of the heaviest layers.
let layers = [
    (1, 3, 128, 512), (1, 128, 128, 512), (1, 256, 256, 512), (1, 256, 256, 256),
    (1, 512, 512, 256), (1, 512, 512, 128), (1, 512, 512, 64), (1, 128, 3, 512),
    (2, 320, 320, 64), (2, 960, 320, 64), (2, 640, 640, 32), (2, 1280, 1280, 16),
    (2, 1280, 1280, 8),
]

switch arguments.first {
case "layers":
    for (images, inputs, outputs, side) in layers {
        let x = try noise.normal([images, inputs, side, side], in: library)
            .contiguous(.channelsLast)
        let weight = try source.tensor(
            named: "\(inputs)-\(outputs).weight", shape: [outputs, inputs, 3, 3])
        guard let machine = try x.kernelMachine(.default) else {
            print("There are no kernels for this processor.")
            break
        }
        let kernel = KernelConvolution(weight: weight)
        try Contest(
            name: "\(images)x\(inputs)x\(side)x\(side) to \(outputs)",
            exact: { try x.conv2d(weight: weight, bias: nil, padding: 1) },
            fast: { try kernel(x, on: machine) }
        ).run(repeats: repeats)
    }
case "encoder", "decoder":
    var configuration = AutoencoderKLConfiguration()
    configuration.blockOutChannels = [128, 256, 512, 512]
    configuration.layersPerBlock = 2
    let exact = try AutoencoderKL(exactWeights, configuration: configuration)
    let fast = try AutoencoderKL(fastWeights, configuration: configuration)
    if arguments.first == "encoder" {
        let picture = try noise.normal([1, 3, side, side], in: library)
        try Contest(
            name: "encoder", exact: { try exact.encode(picture).mean },
            fast: { try fast.encode(picture).mean }
        ).run(repeats: repeats)
    } else {
        let latents = try noise.normal([1, 4, side / 8, side / 8], in: library)
        try Contest(
            name: "decoder", exact: { try exact.decode(latents) },
            fast: { try fast.decode(latents) }
        ).run(repeats: repeats)
    }
case "unet":
    var configuration = UNet2DConditionConfiguration()
    configuration.crossAttentionDim = .all(768)
    let exact = try UNet2DConditionModel(exactWeights, configuration: configuration, in: library)
    let fast = try UNet2DConditionModel(fastWeights, configuration: configuration, in: library)
    let latents = try noise.normal([2, 4, side / 8, side / 8], in: library)
    let context = try noise.normal([2, 77, 768], in: library)
    try Contest(
        name: "UNet, batch of 2",
        exact: { try exact(latents, timestep: 500, context: context) },
        fast: { try fast(latents, timestep: 500, context: context) }
    ).run(repeats: repeats)
default:
    print("usage: kernels-benchmark layers|encoder|decoder|unet [SIDE] [REPEATS] [alone]")
}
