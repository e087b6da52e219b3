/// A file that could not be written. Nothing is left behind under its name or a temporary one.
public struct WriteError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String {
        "Cannot write \(path): \(reason). Is its folder there and writable, and has the disk room?"
    }
}
