// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "gpi-diffusion",
    products: [
        .library(name: "GPIDiffusion", targets: ["GPIDiffusion"]),
        // For C programs, and for the CPython module, which links it statically.
        .library(name: "gpi_diffusion", type: .dynamic, targets: ["GPIDiffusionC"]),
        .library(name: "gpi_diffusion_static", type: .static, targets: ["GPIDiffusionC"]),
        .executable(name: "gpi-diffusion", targets: ["gpi-diffusion"]),
    ],
    dependencies: [
        // For the command line alone.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Files that appear whole or not at all, and their hashes.
        .target(name: "CSHA256"),
        .target(name: "CFiles"),
        .target(name: "Files", dependencies: ["CFiles", "CSHA256"]),

        // libtorch, from the ground up.
        .target(name: "CTorch"),
        // What is computed faster than libtorch does; in C for its vectors and for a choice by processor.
        .target(name: "CKernels"),
        .target(name: "Torch", dependencies: ["CTorch", "CKernels"]),
        .target(name: "Checkpoints", dependencies: ["Torch", "Files"]),
        .target(name: "TorchNN", dependencies: ["Torch", "Checkpoints"]),
        .target(name: "Diffusion", dependencies: ["TorchNN", "Files"]),

        // Pictures: pixels, and the files that hold them.
        .target(name: "Imaging"),
        .systemLibrary(
            name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(
            name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
        // libpng and libjpeg report errors by longjmp, which must not cross Swift.
        .target(
            name: "CImageFiles", dependencies: ["CPNG", "CJPEG"],
            linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
        .target(name: "ImageFiles", dependencies: ["Imaging", "Files", "CImageFiles"]),

        // A model id becomes a local snapshot folder.
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // libcurl's options are variadic.
        .target(
            name: "CHub", dependencies: ["CCurl"], linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "Hub", dependencies: ["CHub", "Files"]),

        // What people call, then the two public faces.
        .target(name: "Pipelines", dependencies: ["Diffusion", "Imaging", "Files"]),
        .target(name: "Studies", dependencies: ["Pipelines", "Files"]),
        .target(name: "Training", dependencies: ["Pipelines", "Files"]),
        .target(name: "GPIDiffusion", dependencies: ["Studies", "Training", "ImageFiles", "Hub"]),
        .systemLibrary(name: "CGPIDiffusion", path: "Sources/GPIDiffusionC/include"),
        .target(
            name: "GPIDiffusionC", dependencies: ["Studies", "Training", "Files", "CGPIDiffusion"],
            exclude: ["include"]),

        .executableTarget(
            name: "gpi-diffusion",
            dependencies: [
                "GPIDiffusion", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .executableTarget(
            name: "kernels-benchmark", dependencies: ["Diffusion"], path: "benchmarks/kernels"),
        .executableTarget(
            name: "training-benchmark", dependencies: ["Diffusion"], path: "benchmarks/training",
            exclude: ["compare.py"]),

        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .target(
            name: "TestSupport", dependencies: ["Torch"], path: "Tests/TestSupport",
            exclude: ["safety_checkers.py"]),
        .testTarget(
            name: "TorchTests", dependencies: ["Torch", "TestSupport"],
            exclude: ["gradients_reference.py", "reference.py"]),
        .testTarget(name: "KernelsTests", dependencies: ["Torch", "TestSupport"]),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "Files", "TestSupport"],
            exclude: ["differential.py", "reference.py"]),
        .testTarget(
            name: "DiffusionTests", dependencies: ["Diffusion", "Files", "TestSupport"],
            exclude: [
                "gradients_reference.py", "reference.py", "Saving/saving_reference.py",
                "Schedulers/scheduler_reference.py", "Tokenizer/corpus.py",
                "Tokenizer/reference.py",
            ]),
        .testTarget(
            name: "ImagingTests", dependencies: ["Imaging", "ImageFiles", "TestSupport"],
            exclude: ["reading_reference.py", "reference.py"]),
        .testTarget(
            name: "PipelinesTests", dependencies: ["Pipelines", "TestSupport"],
            exclude: [
                "reference.py", "safety_reference.py", "single_files.py",
                "unconditional_reference.py",
            ]),
        .testTarget(
            name: "StudiesTests", dependencies: ["Studies", "TestSupport"],
            exclude: ["reference.py"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "ImageFiles", "TestSupport"],
            exclude: ["training.py"]),
        // Fetches in a process of its own, which tests can kill, multiply and deny rights to.
        .executableTarget(
            name: "hub-fetch-for-tests", dependencies: ["Hub"], path: "Tests/HubFetch"),
        .testTarget(
            name: "HubTests", dependencies: ["Files", "Hub", "hub-fetch-for-tests", "TestSupport"],
            exclude: ["hub_server.py", "reference.py"]),
        .testTarget(name: "GPIDiffusionTests", dependencies: ["GPIDiffusion", "TestSupport"]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["gpi-diffusion", "ImageFiles", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

// What reads files from strangers, under one roof: run on the kept files by the tests, or, where
// Tests/Fuzz/run asks for it, on made-up ones by libFuzzer, which brings a `main` of its own.
let fuzzed: [Target.Dependency] = ["Checkpoints", "Diffusion", "ImageFiles"]
let besides = ["dictionaries", "make_seeds.py", "regressions", "run", "seeds"]
package.targets.append(
    Context.environment["GPI_FUZZ"] == nil
        ? .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzz",
            exclude: besides + ["LibFuzzer"])
        : .executableTarget(
            name: "fuzz", dependencies: fuzzed, path: "Tests/Fuzz", exclude: besides + ["Tests"]))
