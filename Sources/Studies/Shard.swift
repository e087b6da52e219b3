/// A part of a study's pictures, for one of several processes: of `count` parts the one with `number`,
/// from 1. Picture i is in part i modulo count, so that parts are of one size.
public struct Shard: Equatable, Sendable, CustomStringConvertible {
    public let number: Int
    public let count: Int

    /// - Throws: `StudyError.invalidArgument`.
    public init(number: Int, of count: Int) throws {
        guard count >= 1, 1...count ~= number else {
            throw StudyError.invalidArgument(
                name: "shard",
                reason: "\(number)/\(count) is no part: it is i/n with i from 1 to n.")
        }
        self.number = number
        self.count = count
    }

    /// Reads "2/5".
    /// - Throws: `StudyError.invalidArgument`.
    public init(parsing text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]) else {
            throw StudyError.invalidArgument(
                name: "shard",
                reason: "\(text.debugDescription) is not of the form i/n, such as 2/5.")
        }
        try self.init(number: number, of: count)
    }

    public var description: String { "\(number)/\(count)" }

    func contains(_ index: Int) -> Bool { index % count == number - 1 }
}
