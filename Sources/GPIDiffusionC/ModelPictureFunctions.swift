import CGPIDiffusion
import Imaging
import Pipelines
import Torch

// The functions of gpi_models.h about pictures, in its order. What they do is documented there.

@c @implementation
public func gpi_pictures_tensor(
    _ rgb: UnsafePointer<UInt8>!, _ count: Int64, _ width: Int64, _ height: Int64,
    _ pixels: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pixels, "pixels")
        let start = try required(rgb, "rgb")
        guard 1...65536 ~= count else {
            throw PipelineError.invalidArgument(
                name: "img", reason: "\(count) pictures; at least one is needed.")
        }
        // The first one's check is that of their size, which is the same for all.
        let first = try picture(rgb: start, width: width, height: height)
        let size = first.pixels.count
        let pictures = try (0..<Int(count)).map { number in
            number == 0
                ? first : try picture(rgb: start + number * size, width: width, height: height)
        }
        result.pointee = handle(
            try TensorBox(Tensor.pixels(of: pictures, in: LibTorch.shared()).contiguous()))
    }
}

@c @implementation
public func gpi_tensor_nth_picture(
    _ pixels: OpaquePointer!, _ number: Int64, _ picture: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(picture, "picture")
        let pixels = try tensor(pixels, "pixels")
        guard let count = pixels.shape.first, 0..<Int64(count) ~= number else {
            throw PipelineError.invalidArgument(
                name: "number", reason: "there is no picture \(number) in \(pixels.shape).")
        }
        result.pointee = handle(
            PictureBox(
                try RGBImage(
                    decoded: pixels.narrowed(dimension: 0, start: Int(number), length: 1))))
    }
}

@c @implementation
public func gpi_tensor_unit_range(
    _ pixels: OpaquePointer!, _ unit: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(unit, "unit")
        result.pointee = handle(
            try TensorBox(tensor(pixels, "pixels").inUnitRange().contiguous()))
    }
}
