import Imaging
import Torch

// Between 8-bit pictures and the tensors of a model.

extension Tensor {
    /// Pictures of one size as one batch: `[N, 3, H, W]` in [-1, 1], float32 on the CPU.
    public static func pixels(of pictures: [RGBImage], in library: LibTorch) throws -> Tensor {
        guard let first = pictures.first, pictures.allSatisfy({ $0.size == first.size }) else {
            throw PipelineError.invalidArgument(
                name: "img", reason: "at least one picture is needed, and all of one size.")
        }
        return try concatenated(pictures.map { try Tensor($0, in: library) }, dimension: 0)
    }

    /// Pictures in [-1, 1] as values from 0 to 1, float32; others are cut off.
    /// - Throws: `PipelineError.notFinite` if a value is no number.
    public func inUnitRange() throws -> Tensor {
        guard try isFinite() else { throw PipelineError.notFinite("decoded pixels") }
        return try (converted(to: .float32) / 2 + 0.5).clamped(to: 0...1)
    }

    /// `[1, 3, H, W]` in [-1, 1], as torchvision's `ToTensor` and `Normalize(0.5, 0.5)` give it.
    convenience init(_ picture: RGBImage, in library: LibTorch) throws {
        let (height, width) = (picture.height, picture.width)
        try self.init(uninitialized: [1, 3, height, width], dtype: .float32, in: library)
        // The same float32 operations in the same order, once for each of the 256 levels.
        let levels = (0..<256).map { (Float($0) / 255 - 0.5) / 0.5 }
        try withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            picture.pixels.withUnsafeBufferPointer { pixels in
                let places = height * width
                for place in 0..<places {
                    for channel in 0..<3 {
                        values[channel * places + place] = levels[Int(pixels[3 * place + channel])]
                    }
                }
            }
        }
    }
}

extension RGBImage {
    /// The pictures of `[N, 3, H, W]` in [-1, 1], or of `[N, 1, H, W]` in grey: (x / 2 + 0.5) limited to
    /// [0, 1], times 255, rounded half to even.
    /// - Throws: `PipelineError.notFinite` if a value is no number, `.invalidArgument` for another
    ///   shape.
    public static func pictures(decoded tensor: Tensor) throws -> [RGBImage] {
        guard tensor.shape.count == 4, [1, 3].contains(tensor.shape[1]), tensor.count > 0 else {
            throw PipelineError.invalidArgument(
                name: "image",
                reason: "the shape is \(tensor.shape); [N, 3, H, W] is needed, with no side of 0.")
        }
        let plain = try tensor.converted(to: .float32).moved(to: .cpu).contiguous()
        return try (0..<tensor.shape[0]).map { number in
            try RGBImage(plain.narrowed(dimension: 0, start: number, length: 1))
        }
    }

    /// The first picture of such a tensor.
    public init(decoded tensor: Tensor) throws {
        let first =
            tensor.shape.first ?? 0 > 1
            ? try tensor.narrowed(dimension: 0, start: 0, length: 1) : tensor
        guard let picture = try Self.pictures(decoded: first).first else {
            throw PipelineError.invalidArgument(name: "image", reason: "there is none.")
        }
        self = picture
    }

    /// - Parameter tensor: `[1, 3, H, W]` or `[1, 1, H, W]`, contiguous float32 on the CPU.
    private init(_ tensor: Tensor) throws {
        let (height, width) = (tensor.shape[2], tensor.shape[3])
        let places = height * width
        let lastChannel = tensor.shape[1] - 1
        var pixels = [UInt8](repeating: 0, count: 3 * places)
        try tensor.withUnsafeBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            for place in 0..<places {
                for channel in 0..<3 {
                    let value = values[min(channel, lastChannel) * places + place]
                    guard value.isFinite else { throw PipelineError.notFinite("decoded pixels") }
                    let level = (min(max(value / 2 + 0.5, 0), 1) * 255).rounded(.toNearestOrEven)
                    pixels[3 * place + channel] = UInt8(level)
                }
            }
        }
        try self.init(width: width, height: height, pixels: pixels)
    }
}
