// Steps of training here, for `benchmarks/training/compare.py`, which has PyTorch take the same ones:
//
//     training-benchmark FOLDER STEPS
//
// FOLDER has a UNet2DModel or UNet2DConditionModel in diffusers' layout, and beside it the batch. Prints
// one JSON object: each step's seconds on the clock and of the processors and its loss, and the memory
// in bytes that the process held before the first step and at most during them.

import Checkpoints
import Diffusion
import Glibc
import Torch

/// What the kernel says of this process, in bytes.
func memory(_ key: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let text = String(
            decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix("\(key):") else { continue }
        return
            (text.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
            << 10
    }
    return 0
}

/// Has the kernel count the most memory from now on.
func forgetPeak() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
}

/// Seconds that processors have spent on this process, which other programs hardly change.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

let arguments = CommandLine.arguments.dropFirst()
guard let folder = arguments.first, let steps = arguments.dropFirst().first.flatMap({ Int($0) })
else {
    print("usage: training-benchmark FOLDER STEPS")
    exit(2)
}
let library = try LibTorch.shared()
let parameters = Parameters()
let weights = Weights(try ComponentFolder.open(folder, in: library), keepingIn: parameters)
let batch = try SafetensorsFile(path: "\(folder)/batch.safetensors", in: library)
let noisy = try batch.tensor(named: "noisy")
let noise = try batch.tensor(named: "noise")
let timesteps = try batch.tensor(named: "timesteps").elements(as: Int64.self).map(Int.init)

let predict: () throws -> Tensor
if batch.contains("context") {
    let model = try UNet2DConditionModel(
        weights, configuration: UNet2DConditionConfiguration(path: "\(folder)/config.json"),
        in: library)
    let context = try batch.tensor(named: "context")
    predict = { try model(noisy, timesteps: timesteps, context: context) }
} else {
    let model = try UNet2DModel(
        weights, configuration: UNet2DConfiguration(path: "\(folder)/config.json"), in: library)
    predict = { try model(noisy, timesteps: timesteps) }
}

var options = AdamW.Options()
options.learningRate = 1e-4
let optimizer = try AdamW(parameters.tensors, options: options)
var seconds: [Double] = []
var processor: [Double] = []
var losses: [Float] = []
let before = memory("VmRSS")
forgetPeak()
let clock = ContinuousClock()
for _ in 0..<steps {
    let start = processorSeconds()
    let time = try clock.measure {
        let (loss, gradients) = try withGradients(of: parameters.tensors) {
            try predict().meanSquaredError(to: noise)
        }
        try optimizer.step(gradients.clipped(toTotalNorm: 1))
        losses += try loss.elements(as: Float.self)
    }.components
    processor.append(processorSeconds() - start)
    seconds.append(Double(time.seconds) + Double(time.attoseconds) * 1e-18)
}
print(
    """
    {"seconds": \(seconds), "processor": \(processor), "losses": \(losses), \
    "before": \(before), "peak": \(memory("VmHWM"))}
    """)
