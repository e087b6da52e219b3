/// A picture to learn from.
public struct TrainingPicture: Equatable, Sendable {
    /// Tells it from the others: of a file its path below the folder of them all.
    public var name: String
    /// Of its file; what errors name.
    public var path: String
    /// What it shows, if that is learnt too.
    public var caption: String?

    /// - Parameters:
    ///   - path: of the file.
    ///   - name: the path unless given.
    ///   - caption: what the picture shows, if that is learnt too.
    public init(path: String, name: String? = nil, caption: String? = nil) {
        self.name = name ?? path
        self.path = path
        self.caption = caption
    }
}
