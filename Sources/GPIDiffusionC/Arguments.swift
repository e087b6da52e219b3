import CGPIDiffusion
import Pipelines
import Imaging
import Torch

// Checks of what C hands in, one place for each kind of argument.

/// - Throws: `PipelineError.invalidArgument` that names the argument if it is NULL.
func required<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else {
        throw PipelineError.invalidArgument(name: name, reason: "it must not be NULL.")
    }
    return value
}

/// - Throws: `PipelineError.invalidArgument` if a struct's size is not this header's.
func checkSize<Struct>(_ size: Int, of type: Struct.Type, _ name: String) throws {
    guard size == MemoryLayout<Struct>.size else {
        throw PipelineError.invalidArgument(
            name: "\(name)->size",
            reason:
                "\(size) bytes instead of \(MemoryLayout<Struct>.size); start from \(name)'s _INIT macro."
        )
    }
}

/// The object behind an extractor's handle.
func imageExtractor(_ handle: OpaquePointer?) throws -> ImageExtractor {
    object(try required(handle, "extractor"), as: ExtractorBox.self).extractor
}

/// Copies a caller's row of sizes or strides.
func numbers(_ start: UnsafePointer<Int64>?, count: Int64, _ name: String) throws -> [Int] {
    // torch's own limit for the dimensions of a tensor that is computed with.
    guard 0...64 ~= count else {
        throw PipelineError.invalidArgument(
            name: "dimensions", reason: "\(count) is not between 0 and 64.")
    }
    guard count > 0 else { return [] }
    return UnsafeBufferPointer(start: try required(start, name), count: Int(count)).map(Int.init)
}

/// Copies a caller's texts.
func texts(
    _ start: UnsafePointer<UnsafePointer<CChar>?>?, count: Int64, _ name: String = "prompts"
) throws -> [String] {
    guard count > 0 else {
        throw PipelineError.invalidArgument(name: "count", reason: "\(count) is less than 1.")
    }
    return try UnsafeBufferPointer(start: required(start, name), count: Int(count)).map {
        String(cString: try required($0, "\(name)[…]"))
    }
}

/// Copies a caller's pixels, after a look at their size.
func picture(rgb: UnsafePointer<UInt8>?, width: Int64, height: Int64) throws -> RGBImage {
    let start = try required(rgb, "rgb")
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, area <= PixelSize.maximumPixelCount else {
        throw PipelineError.invalidArgument(
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
    /// - Throws: `PipelineError.invalidArgument` for a number that the header does not name.
    init(_ dtype: gpi_dtype) throws {
        switch dtype {
        case GPI_FLOAT32: self = .float32
        case GPI_FLOAT16: self = .float16
        case GPI_BFLOAT16: self = .bfloat16
        default:
            throw PipelineError.invalidArgument(
                name: "dtype", reason: "\(dtype.rawValue) is none of gpi_dtype.")
        }
    }
}

extension Precision {
    /// - Throws: `PipelineError.invalidArgument` for a number that the header does not name.
    init(_ precision: gpi_precision) throws {
        switch precision {
        case GPI_PRECISION_DEFAULT: self = .default
        case GPI_PRECISION_EXACT: self = .exact
        case GPI_PRECISION_REDUCED: self = .reduced
        default:
            throw PipelineError.invalidArgument(
                name: "precision", reason: "\(precision.rawValue) is none of gpi_precision.")
        }
    }
}

extension gpi_precision {
    init(_ precision: Precision) {
        switch precision {
        case .default: self = GPI_PRECISION_DEFAULT
        case .exact: self = GPI_PRECISION_EXACT
        case .reduced: self = GPI_PRECISION_REDUCED
        }
    }
}

extension gpi_dtype {
    /// - Throws: `PipelineError.invalidArgument` for a type that the header does not name.
    init(_ dtype: DType) throws {
        switch dtype {
        case .float32: self = GPI_FLOAT32
        case .float16: self = GPI_FLOAT16
        case .bfloat16: self = GPI_BFLOAT16
        case .float64, .int64, .int32, .int16, .int8, .uint8, .bool:
            throw PipelineError.invalidArgument(
                name: "dtype", reason: "\(dtype) is none of gpi_dtype.")
        }
    }
}

extension gpi_device {
    init(_ device: Device) {
        switch device {
        case .cpu: self.init(kind: GPI_CPU, index: 0)
        case .cuda(let index): self.init(kind: GPI_CUDA, index: Int32(index))
        }
    }
}

extension Device {
    /// - Throws: `PipelineError.invalidArgument` for a kind that the header does not name.
    init(_ device: gpi_device) throws {
        switch device.kind {
        case GPI_CPU: self = .cpu
        case GPI_CUDA: self = .cuda(index: Int(device.index))
        default:
            throw PipelineError.invalidArgument(
                name: "device", reason: "\(device.kind.rawValue) is none of gpi_device_kind.")
        }
    }
}
