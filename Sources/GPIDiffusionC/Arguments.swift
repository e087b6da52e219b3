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

extension DenoisingOptions {
    init(_ request: gpi_request) {
        self.init(
            strength: request.strength, numInferenceSteps: Int(request.num_inference_steps),
            guidanceScale: request.guidance_scale,
            negativePrompt: request.negative_prompt.map { String(cString: $0) })
    }
}

extension DType {
    /// - Throws: `ExtractionError.invalidArgument` for a number that the header does not name.
    init(_ dtype: gpi_dtype) throws {
        switch dtype {
        case GPI_FLOAT32: self = .float32
        case GPI_FLOAT16: self = .float16
        case GPI_BFLOAT16: self = .bfloat16
        default:
            throw ExtractionError.invalidArgument(
                name: "dtype", reason: "\(dtype.rawValue) is none of gpi_dtype.")
        }
    }
}
