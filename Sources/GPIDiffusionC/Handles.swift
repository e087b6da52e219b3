import Extraction
import Imaging

// What stands behind the opaque handles of the header: a retained Swift object each.

/// `gpi_extractor`
final class ExtractorBox {
    let extractor: ImageExtractor
    init(_ extractor: ImageExtractor) { self.extractor = extractor }
}

/// `gpi_picture`: pixels in memory that stays where it is.
final class PictureBox {
    let width: Int
    let height: Int
    let pixels: UnsafeMutableBufferPointer<UInt8>

    init(_ picture: RGBImage) {
        width = picture.width
        height = picture.height
        pixels = .allocate(capacity: picture.pixels.count)
        _ = pixels.initialize(from: picture.pixels)
    }

    deinit { pixels.deallocate() }
}

/// `gpi_latents`
final class LatentsBox {
    let latents: Latents
    let shape: [Int64]
    let values: UnsafeMutableBufferPointer<Float>

    init(_ latents: Latents) throws {
        self.latents = latents
        shape = latents.shape.map(Int64.init)
        values = try latents.withUnsafeValues { source in
            let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: source.count)
            _ = copy.initialize(from: source)
            return copy
        }
    }

    deinit { values.deallocate() }
}

/// Hands an object over to C, which gives it back to `free(_:as:)`.
func handle(_ object: AnyObject) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// The object behind a handle that C still holds.
func object<Object: AnyObject>(_ handle: OpaquePointer, as type: Object.Type) -> Object {
    Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}

/// Takes an object back from C.
func free<Object: AnyObject>(_ handle: OpaquePointer?, as type: Object.Type) {
    guard let handle else { return }
    Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
}
