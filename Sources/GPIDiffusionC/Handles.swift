import CGPIDiffusion
import Pipelines
import Imaging
import Torch

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

    var image: RGBImage {
        get throws { try RGBImage(width: width, height: height, pixels: Array(pixels)) }
    }

    deinit { pixels.deallocate() }
}

/// `gpi_tensor`, with its facts in memory that stays where it is.
final class TensorBox {
    let tensor: Tensor
    let shape: UnsafeMutableBufferPointer<Int64>
    let strides: UnsafeMutableBufferPointer<Int64>
    let dtype: gpi_dtype
    let device: gpi_device
    let data: UnsafeMutableRawPointer?

    /// - Throws: `PipelineError.invalidArgument` for a dtype that `gpi_dtype` has no name for.
    init(_ tensor: Tensor) throws {
        let strides = try tensor.strides
        dtype = try gpi_dtype(tensor.dtype)
        device = try gpi_device(tensor.device)
        data = try tensor.address
        self.tensor = tensor
        shape = .allocate(capacity: tensor.shape.count)
        _ = shape.initialize(from: tensor.shape.map(Int64.init))
        self.strides = .allocate(capacity: strides.count)
        _ = self.strides.initialize(from: strides.map(Int64.init))
    }

    deinit {
        shape.deallocate()
        strides.deallocate()
    }
}

/// Memory of a caller's, given back when nothing reads it any more.
final class ForeignMemory {
    private let release: gpi_release?
    private let context: UnsafeMutableRawPointer?

    init(_ release: gpi_release?, _ context: UnsafeMutableRawPointer?) {
        self.release = release
        self.context = context
    }

    deinit { release?(context) }
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
