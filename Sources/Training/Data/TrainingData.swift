import Imaging
import Pipelines
import Torch

/// The pictures that a model learns from, all brought to one size.
///
/// Each is read once and kept, as 3 bytes a pixel, while the memory that may be used has room; the rest
/// are read again whenever they come.
public final class TrainingData {
    /// Gives a picture of any size, as it should be seen.
    public typealias Reader = (TrainingPicture) throws -> RGBImage

    public let pictures: [TrainingPicture]
    /// Of all pictures as they are learnt from.
    public let size: PixelSize
    public let fit: PictureFit
    private let read: Reader
    private var kept: [Int: RGBImage] = [:]
    private var room: Int

    /// - Parameters:
    ///   - pictures: at least one; each with a caption, or none.
    ///   - size: that they are brought to.
    ///   - fit: how one of another shape is.
    ///   - memory: bytes that pictures may be kept in.
    ///   - read: reads one. It is called again for pictures that are not kept, and must give the same.
    /// - Throws: `TrainingError.invalidArgument`.
    public init(
        _ pictures: [TrainingPicture], size: PixelSize, fit: PictureFit = .crop,
        memory: Int = 1 << 30, read: @escaping Reader
    ) throws {
        guard !pictures.isEmpty else {
            throw TrainingError.invalidArgument(
                name: "pictures", reason: "there is none to learn from.")
        }
        guard size.pixelCount != nil else {
            throw TrainingError.invalidArgument(
                name: "resolution", reason: "\(size) is no size of a picture.")
        }
        let captioned = pictures.filter { $0.caption != nil }.count
        if captioned != 0, let bare = pictures.first(where: { $0.caption == nil }) {
            throw TrainingError.invalidArgument(
                name: "captions",
                reason: """
                    \(bare.path) has none, while \(captioned) other pictures have. Give every picture a caption, or \
                    take it out of the folder.
                    """)
        }
        self.pictures = pictures
        self.size = size
        self.fit = fit
        self.read = read
        room = memory
    }

    /// A picture in the data's size.
    /// - Throws: what reading it throws; `TrainingError.invalidArgument` if there is none of that index.
    public func picture(_ index: Int) throws -> RGBImage {
        if let picture = kept[index] { return picture }
        guard pictures.indices.contains(index) else {
            throw TrainingError.invalidArgument(
                name: "index", reason: "there are \(pictures.count) pictures; \(index) is none.")
        }
        let whole = try read(pictures[index])
        let picture = whole.size == size ? whole : try whole.fitted(to: size, by: fit)
        if picture.pixels.count <= room {
            room -= picture.pixels.count
            kept[index] = picture
        }
        return picture
    }

    /// Samples as a model sees them: `[N, 3, H, W]` in [-1, 1], float32 on the CPU.
    public func pixels(of samples: [TrainingSample], in library: LibTorch) throws -> Tensor {
        try .pixels(
            of: samples.map { sample in
                let picture = try picture(sample.index)
                return sample.isFlipped ? try picture.mirrored() : picture
            }, in: library)
    }

    /// The captions of samples; empty texts if the pictures have none.
    public func captions(of samples: [TrainingSample]) -> [String] {
        samples.map { pictures[$0.index].caption ?? "" }
    }
}

extension RGBImage {
    /// With left and right exchanged.
    func mirrored() throws -> RGBImage {
        var mirrored = [UInt8]()
        mirrored.reserveCapacity(pixels.count)
        for row in 0..<height {
            for column in (0..<width).reversed() {
                let sample = (row * width + column) * RGBImage.channels
                mirrored += pixels[sample..<sample + RGBImage.channels]
            }
        }
        return try RGBImage(width: width, height: height, pixels: mirrored)
    }
}
