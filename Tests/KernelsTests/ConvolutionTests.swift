import TestSupport
import Testing

@testable import Torch

/// The convolution in every form that this processor has, against direct convolution in float64.
@Suite struct ConvolutionTests {
    /// A convolution with everything that can stand around it.
    private struct Case: CustomStringConvertible {
        var images = 1
        var inputs = 1
        var outputs = 1
        var height = 1
        var width = 1
        var biases = 0
        var activates = false
        var doublesSize = false
        var steps = KernelConvolution.Steps.each
        var addsResidual = false

        var description: String {
            "\(images)x\(inputs)x\(height)x\(width) to \(outputs), \(biases) biases"
                + (activates ? ", activated" : "") + (doublesSize ? ", doubled" : "")
                + ", at \(steps)" + (addsResidual ? ", with residual" : "")
        }
    }

    private let library: LibTorch
    private let noise = NoiseGenerator(seed: 7)

    init() throws {
        library = try LibTorch.shared()
    }

    private func random(_ shape: [Int]) throws -> Tensor {
        try noise.normal(shape, in: library)
    }

    /// The largest error on each machine, in terms of the largest true result.
    private func errors(of c: Case, on machines: [KernelMachine]) throws -> [Double] {
        let x = try random([c.images, c.inputs, c.height, c.width])
        let weight =
            try (1 / Double(9 * c.inputs).squareRoot())
            * random([c.outputs, c.inputs, 3, 3])
        var convolution = KernelConvolution(weight: weight)
        var input = try x.converted(to: .float64)
        if c.activates {
            let factors = try ChannelFactors(
                scale: random([c.images, c.inputs]), shift: random([c.images, c.inputs]))
            convolution.activation = factors
            let shape = [c.images, c.inputs, 1, 1]
            input = try
                (input * factors.scale.converted(to: .float64).reshaped(shape)
                + factors.shift.converted(to: .float64).reshaped(shape)).silu()
        }
        if c.doublesSize {
            convolution.doublesSize = true
            input = try input.upsampledNearest(height: 2 * c.height, width: 2 * c.width)
        }
        convolution.steps = c.steps
        if c.steps == .secondPaddedAfter {
            input = try input.zeroPadded(left: 0, right: 1, top: 0, bottom: 1)
        }
        var expected = try input.conv2d(
            weight: weight.converted(to: .float64), bias: nil, stride: c.steps == .each ? 1 : 2,
            padding: c.steps == .secondPaddedAfter ? 0 : 1)
        if c.biases > 0 {
            let bias = try random(c.biases == 1 ? [c.outputs] : [c.images, c.outputs])
            convolution.bias = bias
            expected =
                try expected
                + bias.converted(to: .float64).reshaped([c.biases == 1 ? 1 : c.images, -1, 1, 1])
        }
        let residual = try c.addsResidual ? random(expected.shape) : nil
        if let residual { expected = try expected + residual.converted(to: .float64) }
        return try machines.map { machine in
            let result = try convolution(x, residual: residual, on: machine)
            #expect(try result.isChannelsLast)
            return try Self.error(of: result, expected)
        }
    }

    /// The largest difference, in terms of the largest magnitude expected.
    private static func error(of result: Tensor, _ expected: Tensor) throws -> Double {
        guard result.shape == expected.shape else { return .infinity }
        let expected = try expected.elements(as: Double.self)
        let differences = zip(try result.elements(as: Double.self), expected).map {
            ($0 - $1).magnitude
        }
        guard differences.allSatisfy(\.isFinite) else { return .infinity }
        return (differences.max() ?? 0) / (expected.map(\.magnitude).max() ?? 0)
    }

    private func machines(threads: Int? = nil) throws -> [KernelMachine] {
        try KernelMachine.Instructions.available.map {
            try KernelMachine(instructions: $0, threads: threads, in: library)
        }
    }

    @Test func equalsDirectConvolution() throws {
        var random = SeededGenerator(seed: 1)
        let channels = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 129]
        for _ in 0..<80 {
            let size = (1...14)
            let c = Case(
                images: .random(in: 1...3, using: &random),
                inputs: channels.randomElement(using: &random) ?? 1,
                outputs: channels.randomElement(using: &random) ?? 1,
                height: .random(in: size, using: &random), width: .random(in: size, using: &random),
                biases: .random(in: 0...2, using: &random),
                activates: .random(using: &random), doublesSize: .random(using: &random),
                addsResidual: .random(using: &random))
            for error in try errors(of: c, on: machines()) {
                #expect(error < 4e-6, "\(c)")
            }
        }
    }

    @Test(arguments: [KernelConvolution.Steps.second, .secondPaddedAfter])
    func equalsDirectConvolutionAtEverySecondPlace(steps: KernelConvolution.Steps) throws {
        var random = SeededGenerator(seed: 2)
        let channels = [1, 3, 4, 8, 15, 16, 17, 33, 64, 65, 129]
        for _ in 0..<40 {
            let c = Case(
                images: .random(in: 1...3, using: &random),
                inputs: channels.randomElement(using: &random) ?? 1,
                outputs: channels.randomElement(using: &random) ?? 1,
                height: .random(in: 2...14, using: &random),
                width: .random(in: 2...130, using: &random),
                biases: .random(in: 0...2, using: &random),
                activates: .random(using: &random), doublesSize: .random(using: &random),
                steps: steps, addsResidual: .random(using: &random))
            for error in try errors(of: c, on: machines()) {
                #expect(error < 4e-6, "\(c)")
            }
        }
    }

    /// A picture's three colours, or a sample's four channels, in maps of several blocks.
    @Test(arguments: 1...9)
    func equalsDirectConvolutionToFewOutputs(outputs: Int) throws {
        for c in [
            Case(
                images: 2, inputs: 70, outputs: outputs, height: 19, width: 67, biases: 2,
                activates: true, addsResidual: true),
            Case(inputs: 33, outputs: outputs, height: 3, width: 65, doublesSize: true),
            Case(inputs: 4, outputs: outputs, height: 1, width: 1, biases: 1),
        ] {
            for error in try errors(of: c, on: machines()) { #expect(error < 4e-6, "\(c)") }
        }
    }

    /// One place, one row, one column, and one more than a tile.
    @Test(arguments: [(1, 1), (1, 5), (5, 1), (4, 4), (2, 3)])
    func equalsDirectConvolutionOnSmallMaps(height: Int, width: Int) throws {
        let c = Case(inputs: 3, outputs: 2, height: height, width: width, biases: 1)
        for error in try errors(of: c, on: machines()) { #expect(error < 4e-6, "\(c)") }
    }

    /// Enough tiles for one thread to take each on its way through all stages, and longer rows than a
    /// patch.
    @Test func equalsDirectConvolutionOnManyTiles() throws {
        for c in [
            Case(images: 2, inputs: 5, outputs: 9, height: 33, width: 31, biases: 2),
            Case(inputs: 70, outputs: 33, height: 30, width: 33, activates: true),
            Case(inputs: 3, outputs: 4, height: 9, width: 121, activates: true, doublesSize: true),
        ] {
            for error in try errors(of: c, on: machines(threads: 1)) {
                #expect(error < 4e-6, "\(c)")
            }
        }
    }

    @Test(arguments: [(40, KernelConvolution.Steps.each), (3, .each), (40, .second)])
    func doesNotDependOnTheNumberOfThreads(outputs: Int, steps: KernelConvolution.Steps) throws {
        var convolution = KernelConvolution(weight: try random([outputs, 130, 3, 3]))
        convolution.steps = steps
        for size in [6, 45] {
            let x = try random([1, 130, size, size])
            for instructions in KernelMachine.Instructions.available {
                let results = try [1, 2, 3, 5].map { threads in
                    let machine = try KernelMachine(
                        instructions: instructions, threads: threads, in: library)
                    return try convolution(x, on: machine).elements(as: Float.self)
                }
                #expect(results.allSatisfy { $0 == results[0] }, "\(instructions), \(size)")
            }
        }
    }

    /// What direct convolution has from a NaN or an infinity, at every place of a tile, is none the less
    /// not a number or infinite here.
    @Test func whatIsNotFiniteStaysVisible() throws {
        let weight = try random([3, 2, 3, 3])
        for value: Float in [.nan, .infinity, -.infinity] {
            for place in 0..<(7 * 7) {
                var elements = [Float](repeating: 1, count: 2 * 7 * 7)
                elements[place] = value
                let x = try Tensor(elements, shape: [1, 2, 7, 7], in: library)
                let direct = try x.conv2d(weight: weight, bias: nil, padding: 1)
                    .elements(as: Float.self)
                for machine in try machines() {
                    let result = try KernelConvolution(weight: weight)(x, on: machine)
                        .elements(as: Float.self)
                    let hidden = zip(direct, result).filter { !$0.isFinite && $1.isFinite }
                    #expect(hidden.isEmpty, "\(value) at \(place)")
                }
            }
        }
    }

    @Test func activationKeepsNaNs() throws {
        let x = try Tensor([.nan, 1, 2, 3] as [Float], shape: [1, 1, 2, 2], in: library)
        let one = try Tensor([1] as [Float], shape: [1, 1], in: library)
        for machine in try machines() {
            var convolution = KernelConvolution(weight: try random([2, 1, 3, 3]))
            convolution.activation = ChannelFactors(scale: one, shift: one)
            let result = try convolution(x, on: machine).elements(as: Float.self)
            #expect(result.allSatisfy { $0.isNaN })
        }
    }

    /// Rounding errors beside those of libtorch's direct convolution in float32. The kernels' hardly grow
    /// with the number of channels: up to 128 they are up to three times as large, from about 320 on not larger.
    @Test(arguments: [(64, 3.5), (128, 3.5), (320, 1.15), (640, 1.0), (1280, 1.0)])
    func roundsAboutAsLibtorch(channels: Int, bound: Double) throws {
        let x = try random([1, channels, 10, 10])
        let weight = try (1 / Double(9 * channels).squareRoot()) * random([32, channels, 3, 3])
        let truth = try x.converted(to: .float64).conv2d(
            weight: weight.converted(to: .float64), bias: nil, padding: 1
        ).elements(as: Double.self)
        func error(_ result: Tensor) throws -> Double {
            let squares = zip(try result.elements(as: Double.self), truth).map {
                ($0 - $1) * ($0 - $1)
            }
            return (squares.reduce(0, +) / Double(truth.count)).squareRoot()
        }
        let direct = try error(
            x.contiguous(.channelsLast).conv2d(
                weight: weight, bias: nil, padding: 1))
        for machine in try machines() {
            let own = try error(KernelConvolution(weight: weight)(x, on: machine))
            #expect(own < 1e-6)
            #expect(own < bound * direct, "\(channels): \(own) beside \(direct)")
        }
    }

    @Test func refusesShapesThatDoNotFit() throws {
        let machine = try KernelMachine(instructions: .baseline, in: library)
        let convolution = KernelConvolution(weight: try random([4, 2, 3, 3]))
        #expect(throws: TorchError.self) { try convolution(random([1, 3, 5, 5]), on: machine) }
        #expect(throws: TorchError.self) { try convolution(random([2, 5, 5]), on: machine) }
        var biased = convolution
        biased.bias = try random([3])
        #expect(throws: TorchError.self) { try biased(random([1, 2, 5, 5]), on: machine) }
        #expect(throws: TorchError.self) {
            try convolution(
                random([1, 2, 5, 5]), residual: random([1, 4, 5, 6]), on: machine)
        }
        var halved = convolution
        halved.steps = .secondPaddedAfter
        #expect(throws: TorchError.self) { try halved(random([1, 2, 1, 1]), on: machine) }
    }

    /// A residual that nobody else holds becomes the result; one that somebody holds stays as it is.
    @Test func takesTheResidualsPlaceWhereNobodyElseSeesIt() throws {
        let machine = try KernelMachine(instructions: .baseline, in: library)
        let convolution = KernelConvolution(weight: try random([4, 4, 3, 3]))
        let x = try random([1, 4, 9, 9])
        func made() throws -> Tensor { try convolution(x, on: machine) }
        let values = try made().elements(as: Float.self)
        let expected = values.map { $0 + $0 }

        var given: Tensor? = try made()
        let place = try given?.address
        let result = try convolution(x, residual: given.take(), on: machine)
        #expect(try result.address == place)
        #expect(try result.elements(as: Float.self) == expected)

        let held = try made()
        let second = try convolution(x, residual: held, on: machine)
        #expect(try second.address != held.address)
        #expect(try held.elements(as: Float.self) == values)
        #expect(try second.elements(as: Float.self) == expected)

        var viewed: Tensor? = try made()
        let view = try viewed?.reshaped([4, 81])
        let third = try convolution(x, residual: viewed.take(), on: machine)
        #expect(try view?.elements(as: Float.self) == values)
        #expect(try third.elements(as: Float.self) == expected)
    }
}
