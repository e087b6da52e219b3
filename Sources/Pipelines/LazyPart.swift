/// A part of a model that is loaded when it is first used, and then shared by all who use it.
final class LazyPart<Part> {
    private let load: () throws -> Part
    private(set) var loaded: Part?

    init(_ load: @escaping () throws -> Part) {
        self.load = load
    }

    /// - Throws: what loading threw; the next use tries again.
    var value: Part {
        get throws {
            if let loaded { return loaded }
            let part = try load()
            loaded = part
            return part
        }
    }
}
