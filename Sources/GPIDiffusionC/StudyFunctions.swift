import CGPIDiffusion
import Glibc
import Imaging
import Pipelines
import Studies
import Torch

// The functions of gpi_studies.h, in its order. What they do is documented there.

// MARK: - Pictures

@c @implementation
public func gpi_pictures_under(
    _ folder: UnsafePointer<CChar>!, _ suffixes: UnsafePointer<UnsafePointer<CChar>?>!,
    _ suffixCount: Int64, _ pictures: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pictures, "pictures")
        let folder = String(cString: try required(folder, "folder"))
        let suffixes = try texts(suffixes, count: suffixCount, "suffixes")
        result.pointee = handle(
            PicturesBox(try PictureListing.pictures(under: folder, suffixes: suffixes)))
    }
}

@c @implementation
public func gpi_pictures_named(
    _ paths: UnsafePointer<UnsafePointer<CChar>?>!, _ names: UnsafePointer<UnsafePointer<CChar>?>!,
    _ count: Int64, _ pictures: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(pictures, "pictures")
        guard count > 0 else {
            throw StudyError.invalidArgument(name: "images", reason: "there is none.")
        }
        let paths = try texts(paths, count: count, "paths")
        let names = try names.map { try texts($0, count: count, "names") }
        result.pointee = handle(PicturesBox(try PictureListing.pictures(paths, names: names)))
    }
}

@c @implementation
public func gpi_pictures_count(_ pictures: OpaquePointer!) -> Int64 {
    Int64(object(pictures, as: PicturesBox.self).pictures.count)
}

@c @implementation
public func gpi_pictures_name(_ pictures: OpaquePointer!, _ index: Int64) -> UnsafePointer<CChar>! {
    object(pictures, as: PicturesBox.self).name(index)
}

@c @implementation
public func gpi_pictures_path(_ pictures: OpaquePointer!, _ index: Int64) -> UnsafePointer<CChar>! {
    object(pictures, as: PicturesBox.self).path(index)
}

@c @implementation
public func gpi_pictures_set_prompts(
    _ pictures: OpaquePointer!, _ prompts: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int64
) -> gpi_status {
    reporting {
        let box = object(try required(pictures, "pictures"), as: PicturesBox.self)
        try box.pictures.set(\.prompt, to: texts(prompts, count: count), called: "prompts")
    }
}

@c @implementation
public func gpi_pictures_set_seeds(
    _ pictures: OpaquePointer!, _ seeds: UnsafePointer<UInt64>!, _ count: Int64
) -> gpi_status {
    reporting {
        let box = object(try required(pictures, "pictures"), as: PicturesBox.self)
        let start = try required(seeds, "seeds")
        let seeds = Array(UnsafeBufferPointer(start: start, count: Int(max(count, 0))))
        try box.pictures.set(\.seed, to: seeds, called: "seed")
    }
}

@c @implementation
public func gpi_pictures_free(_ pictures: OpaquePointer!) {
    free(pictures, as: PicturesBox.self)
}

// MARK: - Studies

@c @implementation
public func gpi_picture_create(
    _ rgb: UnsafePointer<UInt8>!, _ width: Int64, _ height: Int64,
    _ created: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(created, "picture")
        result.pointee = handle(PictureBox(try picture(rgb: rgb, width: width, height: height)))
    }
}

@c @implementation
public func gpi_study_create(
    _ options: UnsafePointer<gpi_study_options>!, _ study: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(study, "study")
        let options = try required(options, "options").pointee
        try checkSize(options.size, of: gpi_study_options.self, "options")
        let folder = String(cString: try required(options.output_folder, "options->output_folder"))
        let model = String(cString: try required(options.model_folder, "options->model_folder"))
        let settings = try StudySettings(options)
        let decode = try required(options.decode, "options->decode")
        let codec = ForeignCodec(decode, options.encode, options.codec_context).codec
        let device = try options.device.map { try Device(parsing: String(cString: $0)) }
        result.pointee = handle(
            StudyBox(
                try Study(
                    folder: folder, settings: settings, versions: versions(options), codec: codec,
                    modelFolder: model, modelName: options.model_name.map { String(cString: $0) },
                    device: device, warn: { options.warning?(options.warning_context, $0) })))
    }
}

private func versions(_ options: gpi_study_options) throws -> [String: String] {
    guard options.version_count > 0 else { return [:] }
    let texts = try texts(options.versions, count: 2 * options.version_count, "options->versions")
    return Dictionary(
        stride(from: 0, to: texts.count, by: 2).map { (texts[$0], texts[$0 + 1]) },
        uniquingKeysWith: { $1 })
}

@c @implementation
public func gpi_study_free(_ study: OpaquePointer!) {
    free(study, as: StudyBox.self)
}

@c @implementation
public func gpi_study_run(
    _ study: OpaquePointer!, _ request: UnsafePointer<gpi_study_request>!,
    _ summary: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(summary, "summary")
        let study = object(try required(study, "study"), as: StudyBox.self).study
        let options = try required(request, "request").pointee
        try checkSize(options.size, of: gpi_study_request.self, "request")
        let request = try StudyRequest(options)
        let made = try interruptible(options.interruption, options.interruption_context) {
            try study.run(request) { progress in
                progress.description.withCString { text in
                    var told = gpi_study_progress(progress)
                    told.text = text
                    withUnsafePointer(to: told) { options.progress?(options.progress_context, $0) }
                }
            }
        }
        result.pointee = handle(SummaryBox(made, savesPictures: request.savesPictures))
    }
}

// MARK: - Results

@c @implementation
public func gpi_study_summary_progress(_ summary: OpaquePointer!) -> gpi_study_progress {
    let summary = object(summary, as: SummaryBox.self).summary
    var progress = StudyProgress(total: summary.total)
    progress.extracted = summary.extracted
    progress.reused = summary.reused
    progress.failed = summary.failures.count
    progress.seconds = summary.seconds
    return gpi_study_progress(progress)
}

@c @implementation
public func gpi_study_summary_failure(
    _ summary: OpaquePointer!, _ index: Int64, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>!,
    _ path: UnsafeMutablePointer<UnsafePointer<CChar>?>!,
    _ reason: UnsafeMutablePointer<UnsafePointer<CChar>?>!
) -> Bool {
    let failures = object(summary, as: SummaryBox.self).failures
    guard failures.indices.contains(Int(index)) else { return false }
    let failure = failures[Int(index)]
    name?.pointee = UnsafePointer(failure.name.start)
    path?.pointee = UnsafePointer(failure.path.start)
    reason?.pointee = UnsafePointer(failure.reason.start)
    return true
}

@c @implementation
public func gpi_study_summary_row(_ summary: OpaquePointer!, _ index: Int64) -> UnsafePointer<
    CChar
>! {
    PicturesBox.text(object(summary, as: SummaryBox.self).rows, index)
}

@c @implementation
public func gpi_study_summary_settings(_ summary: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(summary, as: SummaryBox.self).settings.start)
}

@c @implementation
public func gpi_study_summary_manifest(_ summary: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(summary, as: SummaryBox.self).manifest.start)
}

@c @implementation
public func gpi_study_summary_latents(_ summary: OpaquePointer!) -> UnsafePointer<CChar>! {
    UnsafePointer(object(summary, as: SummaryBox.self).latents.start)
}

@c @implementation
public func gpi_study_summary_pictures(_ summary: OpaquePointer!) -> UnsafePointer<CChar>! {
    object(summary, as: SummaryBox.self).pictures.map { UnsafePointer($0.start) }
}

@c @implementation
public func gpi_study_summary_stacked(_ summary: OpaquePointer!) -> UnsafePointer<CChar>! {
    object(summary, as: SummaryBox.self).stacked.map { UnsafePointer($0.start) }
}

@c @implementation
public func gpi_study_summary_free(_ summary: OpaquePointer!) {
    free(summary, as: SummaryBox.self)
}

// MARK: - Looking

@c @implementation
public func gpi_study_sheet(
    _ study: OpaquePointer!, _ options: UnsafePointer<gpi_sheet_options>!,
    _ sheet: UnsafeMutablePointer<OpaquePointer?>!
) -> gpi_status {
    reporting {
        let result = try required(sheet, "sheet")
        let study = object(try required(study, "study"), as: StudyBox.self).study
        let options = try required(options, "options").pointee
        try checkSize(options.size, of: gpi_sheet_options.self, "options")
        var request = StudySheet()
        request.count = Int(options.count)
        request.seed = options.seed
        request.columns = Int(options.columns)
        request.cell = Int(options.cell)
        let drawn = try interruptible(options.interruption, options.interruption_context) {
            try study.sheet(request)
        }
        result.pointee = handle(PictureBox(drawn))
    }
}

// MARK: - Arguments

extension gpi_study_progress {
    fileprivate init(_ progress: StudyProgress) {
        self.init(
            total: Int64(progress.total), extracted: Int64(progress.extracted),
            reused: Int64(progress.reused), failed: Int64(progress.failed),
            seconds: progress.seconds, text: nil)
    }
}

extension StudySettings {
    fileprivate init(_ options: gpi_study_options) throws {
        self.init()
        if options.width != 0 || options.height != 0 {
            size = [Int(options.width), Int(options.height)]
        }
        fit = try Self.choice(options.fit, "fit")
        exif = options.exif
        if let color = options.background {
            background = try RGBColor(parsing: String(cString: color))
        }
        posterior = try Self.choice(options.posterior, "posterior")
        denoising = DenoisingOptions(
            strength: options.strength, numInferenceSteps: Int(options.num_inference_steps),
            guidanceScale: options.guidance_scale,
            negativePrompt: options.negative_prompt.map { String(cString: $0) })
        prompt = options.prompt.map { String(cString: $0) }
        seed = options.seed?.pointee
        dtype = try DType(options.dtype).rawValue
        precision = try Precision(options.precision)
    }

    /// - Throws: `StudyError.invalidArgument` with all choices for a text that is none of them.
    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: UnsafePointer<CChar>?, _ name: String
    ) throws -> Choice where Choice.RawValue == String {
        let text = String(cString: try required(text, "options->\(name)"))
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw StudyError.invalidArgument(
                name: name, reason: "\(text.debugDescription) is none of \(known).")
        }
        return choice
    }
}

extension StudyRequest {
    fileprivate init(_ request: gpi_study_request) throws {
        let pictures = object(
            try required(request.pictures, "request->pictures"), as: PicturesBox.self)
        self.init(pictures: pictures.pictures)
        switch request.role {
        case GPI_STUDY_WHOLE: role = .whole
        case GPI_STUDY_SHARD:
            role = .shard(
                try Shard(number: Int(request.shard), of: Int(request.shard_count)))
        case GPI_STUDY_WORKER: role = .worker
        default:
            throw StudyError.invalidArgument(
                name: "role", reason: "\(request.role.rawValue) is none of gpi_study_role.")
        }
        resumes = request.resumes
        stopsAtFailure = request.stops_at_failure
        savesPictures = request.saves_pictures
        stacks = request.stacks
        batchSize = Int(request.batch_size)
    }
}
