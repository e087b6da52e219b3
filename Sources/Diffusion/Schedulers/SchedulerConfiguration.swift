/// The typed configuration of one scheduler, which starts from that scheduler's defaults.
public protocol SchedulerConfiguration: Equatable, Sendable {
    init()

    /// What the file gave, keys of other schedulers too, so that one can be made from another and back.
    var given: [String: SchedulerSettings.Value] { get set }

    /// Names each key once, with the property that holds its value; this serves reading and writing.
    mutating func exchange(_ keys: inout SchedulerKeys) throws

    /// Whether the values make sense together.
    func check(_ keys: SchedulerKeys) throws
}

extension SchedulerConfiguration {
    /// Reads the keys that this scheduler knows.
    /// - Throws: `ConfigurationError` that names the file, the key and what is supported.
    public init(_ settings: SchedulerSettings) throws {
        self.init()
        var keys = SchedulerKeys(reading: settings)
        try exchange(&keys)
        try check(keys)
        given = keys.settings.values
    }

    /// All keys with their values, and which of them are defaults.
    func settings(named name: String) -> SchedulerSettings {
        var settings = written(named: name)
        let defaults = Self().written(named: name).values
        settings.defaultKeys = Set(
            settings.values.filter { given[$0.key] == nil && defaults[$0.key] == $0.value }.keys)
        settings.values.merge(given) { current, _ in current }
        return settings
    }

    private func written(named name: String) -> SchedulerSettings {
        var copy = self
        var keys = SchedulerKeys(writing: SchedulerSettings(className: name))
        // Writing throws nothing: there is no value that could be wrong.
        try? copy.exchange(&keys)
        return keys.settings
    }
}

/// Where a configuration's properties and the keys of `scheduler_config.json` meet.
public struct SchedulerKeys {
    public private(set) var settings: SchedulerSettings
    private let isReading: Bool

    init(reading settings: SchedulerSettings) {
        self.settings = settings.withoutDefaults
        isReading = true
    }

    init(writing settings: SchedulerSettings) {
        self.settings = settings
        isReading = false
    }

    public func unsupported(_ key: String, _ value: Any, _ supported: String) -> ConfigurationError
    {
        .unsupported(
            path: settings.origin, key: key, value: "\(value)", supported: supported)
    }

    // MARK: - One key

    public mutating func exchange(_ key: String, _ property: inout Bool) throws {
        guard let value = read(key, or: .bool(property)) else { return }
        guard case .bool(let bool) = value else { throw wrong(key, value, "true or false") }
        property = bool
    }

    public mutating func exchange(
        _ key: String, _ property: inout Int, within range: ClosedRange<Int>
    ) throws {
        guard let value = read(key, or: .integer(property)) else { return }
        let supported = "a whole number, \(range.lowerBound) to \(range.upperBound)"
        switch value {
        case .integer(let integer) where range.contains(integer): property = integer
        case .number(let number) where Int(exactly: number).map(range.contains) ?? false:
            property = Int(number)
        default: throw wrong(key, value, supported)
        }
    }

    public mutating func exchange(
        _ key: String, _ property: inout Double,
        within range: ClosedRange<Double> = -Double
            .greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws {
        var optional: Double? = property
        try exchange(key, &optional, within: range)
        property = optional ?? property
    }

    public mutating func exchange(
        _ key: String, _ property: inout Double?,
        within range: ClosedRange<Double> = -Double
            .greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws {
        guard let value = read(key, or: property.map { .number($0) } ?? .null) else { return }
        let isBounded = range.upperBound < .greatestFiniteMagnitude
        let supported = isBounded ? "\(range.lowerBound) to \(range.upperBound)" : "a number"
        switch value {
        case .integer(let integer) where range.contains(Double(integer)):
            property = Double(integer)
        case .number(let number) where range.contains(number): property = number
        default: throw wrong(key, value, supported)
        }
    }

    public mutating func exchange(_ key: String, _ property: inout [Double]?) throws {
        guard let value = read(key, or: property.map { .numbers($0) } ?? .null) else { return }
        guard case .numbers(let numbers) = value else {
            throw wrong(key, value, "a list of numbers")
        }
        property = numbers
    }

    /// One of a few names.
    public mutating func exchange<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ property: inout Choice
    ) throws {
        var optional: Choice? = property
        try exchange(key, &optional)
        property = optional ?? property
    }

    /// One of a few names, or none.
    public mutating func exchange<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ property: inout Choice?
    ) throws {
        guard let value = read(key, or: property.map { .text($0.rawValue) } ?? .null) else {
            return
        }
        let supported = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        guard case .text(let name) = value, let choice = Choice(rawValue: name) else {
            throw wrong(key, value, supported)
        }
        property = choice
    }

    /// What the file says; nil if it says nothing, or when writing, which puts `current` there.
    private mutating func read(
        _ key: String, or current: SchedulerSettings.Value
    ) -> SchedulerSettings.Value? {
        guard isReading else {
            settings.values[key] = current
            return nil
        }
        guard let value = settings.values[key], value != .null else { return nil }
        return value
    }

    private func wrong(
        _ key: String, _ value: SchedulerSettings.Value, _ supported: String
    ) -> ConfigurationError {
        unsupported(key, value, supported)
    }
}
