/// What a run came to.
public struct StudySummary: Sendable {
    /// A picture without latents, and why.
    public struct Failure: Equatable, Sendable {
        public var name: String
        public var path: String
        public var reason: String
    }

    /// Where everything is.
    public var folder: StudyFolder
    /// Pictures of this run.
    public var total = 0
    /// Pictures whose latents were made now.
    public var extracted = 0
    /// Pictures whose latents were there, of the same contents and settings.
    public var reused = 0
    /// In the order of the pictures.
    public var failures: [Failure] = []
    /// Where the latents are stacked; nil if they are not.
    public var stackedLatents: String?
    /// Of this run; a part of the pictures has its own.
    public var manifest: String
    /// From the beginning to the end.
    public var seconds = 0.0
    /// Of the manifest, without their ends.
    var lines: [[UInt8]] = []

    init(folder: StudyFolder, manifest: String) {
        self.folder = folder
        self.manifest = manifest
    }

    /// The manifest's lines, in the pictures' order.
    public var rows: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }
}

/// How far a run is.
public struct StudyProgress: Equatable, Sendable, CustomStringConvertible {
    public var total: Int
    public var extracted = 0
    public var reused = 0
    public var failed = 0
    /// Since the beginning.
    public var seconds = 0.0

    public init(total: Int) { self.total = total }

    public var finished: Int { extracted + reused + failed }

    /// Pictures that were looked at or made, per second; what was there already counts for nothing.
    public var picturesPerSecond: Double {
        seconds > 0 ? Double(extracted + failed) / seconds : 0
    }

    /// Nil before there is anything to tell it by.
    public var secondsLeft: Double? {
        guard extracted > 0 else { return finished == total ? 0 : nil }
        return Double(total - finished) / picturesPerSecond
    }

    /// "120 of 7080 pictures, 3.1/s, 37 min left, 2 failed"
    public var description: String {
        var text = "\(finished) of \(total) pictures"
        if extracted > 0 {
            let perSecond = picturesPerSecond
            text +=
                perSecond >= 1
                ? ", \(Self.tenths(perSecond))/s" : ", \(Self.tenths(1 / perSecond)) s each"
        }
        if finished < total, let secondsLeft { text += ", \(Self.duration(secondsLeft)) left" }
        if reused > 0 { text += ", \(reused) were there" }
        if failed > 0 { text += ", \(failed) failed" }
        return text
    }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        if whole < 120 { return "\(whole) s" }
        if whole < 7200 { return "\(whole / 60) min" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

extension StudySummary: CustomStringConvertible {
    /// How many pictures became what, and where everything is.
    public var description: String {
        var lines = [
            """
            \(total) pictures: \(extracted) extracted, \(reused) were there, \(failures.count) failed.
            """, "latents    \(folder.latentsFolder)", "manifest   \(manifest)",
            "settings   \(folder.settings)",
        ]
        if let stackedLatents { lines.insert("stacked    \(stackedLatents)", at: 2) }
        return lines.joined(separator: "\n")
    }
}
