// swift-tools-version: 6.2
import PackageDescription

// A package of somebody else's that depends on this one, as any would: nothing but a dependency, a
// product, and an import. That it builds is half of the test.
let package = Package(
    name: "picture-latents",
    dependencies: [.package(name: "gpi-diffusion", path: "../..")],
    targets: [
        .executableTarget(
            name: "PictureLatents",
            dependencies: [.product(name: "GPIDiffusion", package: "gpi-diffusion")])
    ],
    swiftLanguageModes: [.v6]
)
