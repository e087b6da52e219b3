/// One picture of a study, and what it is transformed by.
public struct StudyPicture: Equatable, Sendable {
    /// What its files are called; unlike those of all others. It may have "/" in it.
    public var name: String
    /// The file with the picture.
    public var path: String
    /// Without influence at strength 0.
    public var prompt: String
    /// Equal seeds give equal noise to pictures of equal size.
    public var seed: UInt64

    public init(name: String, path: String, prompt: String = "", seed: UInt64 = 0) {
        self.name = name
        self.path = path
        self.prompt = prompt
        self.seed = seed
    }
}

extension [StudyPicture] {
    /// Sets one value for all, or one for each.
    ///
    /// - Parameters:
    ///   - property: a picture's.
    ///   - values: one, or as many as pictures.
    ///   - name: the argument's, as in Python.
    /// - Throws: `StudyError.invalidArgument` for another number of values.
    public mutating func set<Value>(
        _ property: WritableKeyPath<StudyPicture, Value>, to values: [Value], called name: String
    ) throws {
        guard values.count == 1 || values.count == count else {
            throw StudyError.invalidArgument(
                name: name,
                reason:
                    "there are \(values.count) for \(count) pictures; give one, or one for each.")
        }
        for index in indices {
            self[index][keyPath: property] = values[values.count == 1 ? 0 : index]
        }
    }
}
