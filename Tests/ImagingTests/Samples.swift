import Imaging
import TestSupport

extension RGBImage {
    /// A picture of random samples, the same in every run; every other one is at an extreme,
    /// so that filters with negative weights run over both ends of the range.
    static func noise(_ width: Int, _ height: Int) throws -> RGBImage {
        var generator = SeededGenerator(seed: UInt64(width) << 32 | UInt64(height))
        let pixels = (0..<width * height * channels).map { _ in
            let random = generator.next()
            return random & 256 == 0 ? UInt8(truncatingIfNeeded: random) : random & 1 == 0 ? 0 : 255
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    /// How the picture differs from `other`, in words; nil where it does not.
    func difference(from other: RGBImage) -> String? {
        guard self != other else { return nil }
        guard size == other.size else { return "\(size) is not \(other.size)" }
        let differences = zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }
        let count = differences.count { $0 > 0 }
        return "\(count) of \(differences.count) samples differ, by up to \(differences.max() ?? 0)"
    }
}
