import CGPIDiffusion
import Extraction
import Imaging
import Torch

// Checks of what C hands in, one place for each kind of argument.

/// - Throws: `ExtractionError.invalidArgument` that names the argument if it is NULL.
func required<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else {
        throw ExtractionError.invalidArgument(name: name, reason: "it must not be NULL.")
    }
    return value
}

/// - Throws: `ExtractionError.invalidArgument` if a struct's size is not this header's.
func checkSize<Struct>(_ size: Int, of type: Struct.Type, _ name: String) throws {
    guard size == MemoryLayout<Struct>.size else {
        throw ExtractionError.invalidArgument(
            name: "\(name)->size",
            reason:
                "\(size) bytes instead of \(MemoryLayout<Struct>.size); start from \(name)'s _INIT macro."
        )
    }
}

/// Copies a caller's pixels, after a look at their size.
func picture(rgb: UnsafePointer<UInt8>?, width: Int64, height: Int64) throws -> RGBImage {
    let start = try required(rgb, "rgb")
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, area <= PixelSize.maximumPixelCount else {
        throw ExtractionError.invalidArgument(
            name: "width, height",
            reason:
                "\(width) by \(height) pixels; a picture has at least one and at most \(PixelSize.maximumPixelCount)."
        )
    }
    let pixels = Array(UnsafeBufferPointer(start: start, count: Int(area) * 3))
    return try RGBImage(width: Int(width), height: Int(height), pixels: pixels)
}

/// Runs `body` so that the caller's callback, if any, can stop it.
func interruptible<Result>(
    _ callback: gpi_interruption?, _ context: UnsafeMutableRawPointer?, _ body: () throws -> Result
) throws -> Result {
    guard let callback else { return try body() }
    // The callback and its context are the caller's affair; they are used on this thread only,
    // and only during this call.
    nonisolated(unsafe) let context = context
    return try Interruption.withCheck({
        if callback(context) != 0 { throw Interrupted() }
    }) {
        try body()
    }
}

/// Refuses values that would give silent garbage.
func check(_ request: gpi_request) throws {
    guard (0...1).contains(request.strength) else {
        throw ExtractionError.invalidArgument(
            name: "strength", reason: "\(request.strength) is not between 0 and 1.")
    }
    guard request.strength == 0 else {
        throw ExtractionError.notImplemented(
            "strength \(request.strength): so far only strength 0 is implemented.")
    }
    guard request.num_inference_steps >= 1 else {
        throw ExtractionError.invalidArgument(
            name: "num_inference_steps", reason: "\(request.num_inference_steps) is less than 1.")
    }
    guard request.guidance_scale.isFinite else {
        throw ExtractionError.invalidArgument(
            name: "guidance_scale", reason: "\(request.guidance_scale) is not a finite number.")
    }
}
