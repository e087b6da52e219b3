/// How pictures are prepared for a CLIP vision model: its `preprocessor_config.json`, with
/// transformers' own defaults for absent keys.
///
/// The steps come in the order of the members below. Resampling is bicubic.
public struct CLIPImageProcessorConfiguration: Equatable, Sendable {
    public internal(set) var doResize = true
    /// What the shorter side is scaled to, in pixels; the other keeps the ratio, rounded down.
    public internal(set) var shortestEdge = 224
    public internal(set) var doCenterCrop = true
    /// In pixels.
    public internal(set) var cropHeight = 224
    /// In pixels.
    public internal(set) var cropWidth = 224
    public internal(set) var doRescale = true
    /// What samples of 0 to 255 are multiplied by.
    public internal(set) var rescaleFactor = 1.0 / 255
    public internal(set) var doNormalize = true
    /// Of red, green and blue, in units of the rescaled samples: subtracted.
    public internal(set) var imageMean = [0.48145466, 0.4578275, 0.40821073]
    /// Of red, green and blue, in units of the rescaled samples: divided by.
    public internal(set) var imageStd = [0.26862954, 0.26130258, 0.27577711]

    public init() {}

    /// The file's keys as they are; sizes are numbers in older files and objects in newer ones.
    private struct File: Decodable {
        let doResize: Bool?
        let size: JSONValue?
        let resample: JSONValue?
        let doCenterCrop: Bool?
        let cropSize: JSONValue?
        let doRescale: Bool?
        let rescaleFactor: Double?
        let doNormalize: Bool?
        let imageMean: [Double]?
        let imageStd: [Double]?
    }

    /// Reads `preprocessor_config.json` and checks every value.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(path: String) throws {
        let file = try ConfigurationFile.decode(File.self, path: path)
        func require(_ condition: Bool, _ key: String, _ value: Any, _ supported: String) throws {
            guard condition else {
                throw ConfigurationError.unsupported(
                    path: path, key: key, value: "\(value)", supported: supported)
            }
        }
        doResize = file.doResize ?? doResize
        doCenterCrop = file.doCenterCrop ?? doCenterCrop
        doRescale = file.doRescale ?? doRescale
        rescaleFactor = file.rescaleFactor ?? rescaleFactor
        doNormalize = file.doNormalize ?? doNormalize
        imageMean = file.imageMean ?? imageMean
        imageStd = file.imageStd ?? imageStd
        if let resample = file.resample {
            try require(resample == .number(3), "resample", resample, "3 (bicubic)")
        }
        if let size = file.size {
            let edge = Self.side(size) ?? Self.sides(size, ["shortest_edge"])?[0]
            try require(
                edge != nil, "size", size, "1 to 16384, or {\"shortest_edge\": 1 to 16384}")
            shortestEdge = edge ?? shortestEdge
        }
        if let size = file.cropSize {
            let sides =
                Self.side(size).map { [$0, $0] } ?? Self.sides(size, ["height", "width"])
            try require(
                sides != nil, "crop_size", size,
                "1 to 16384, or {\"height\": 1 to 16384, \"width\": 1 to 16384}")
            cropHeight = sides?.first ?? cropHeight
            cropWidth = sides?.last ?? cropWidth
        }
        try require(
            rescaleFactor > 0 && rescaleFactor.isFinite, "rescale_factor", rescaleFactor,
            "a positive number")
        try require(imageMean.count == 3, "image_mean", imageMean, "3 numbers")
        try require(
            imageStd.count == 3 && imageStd.allSatisfy { $0 > 0 }, "image_std", imageStd,
            "3 positive numbers")
    }

    /// A number of pixels.
    private static func side(_ value: JSONValue) -> Int? {
        guard case .number(let number) = value, let side = Int(exactly: number),
            (1...16384).contains(side)
        else { return nil }
        return side
    }

    /// The numbers of pixels under `keys` of an object that has no others.
    private static func sides(_ value: JSONValue, _ keys: [String]) -> [Int]? {
        guard case .object(let members) = value else { return nil }
        let given = members.filter { $0.value != .null }
        let sides = keys.compactMap { given[$0].flatMap(side) }
        return sides.count == keys.count && given.count == keys.count ? sides : nil
    }
}
