/// A picture to learn from.
public struct TrainingPicture: Equatable, Sendable {
    /// Of its file; what errors name, and what tells it from others.
    public var path: String
    /// What it shows, if that is learnt too.
    public var caption: String?

    public init(path: String, caption: String? = nil) {
        self.path = path
        self.caption = caption
    }
}
